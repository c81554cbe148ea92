#include "qa/server/jobs.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "engine/base/random_id.h"

namespace vade::qa::server {

using nlohmann::json;

Jobs::Jobs() : thread_([this] { Run(); }) {}

bool Jobs::IsOver(const json& job) {
  const auto& state = job["state"];
  return state == "done" || state == "failed" || state == "cancelled";
}

Result<json> Jobs::Start(const std::string& kind, json facts, Work work) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMaxWaiting) {
    return Fail(ErrorCode::kResource, "too many jobs are waiting; try again later");
  }
  auto job = std::make_shared<Job>();
  job->kind = kind;
  job->work = std::move(work);
  job->state = {
      {"id", RandomId()},      {"state", "queued"},      {"created_at", std::time(nullptr)},
      {"started_at", nullptr}, {"finished_at", nullptr}, {"error", nullptr},
      {"report", nullptr}};
  job->state.update(facts);
  jobs_.push_front(job);
  // Jobs that are over make room; those that are not are few.
  if (jobs_.size() > kMaxKept && IsOver(jobs_.back()->state)) jobs_.pop_back();
  waiting_.push_back(job);
  changed_.notify_all();
  return job->state;
}

void Jobs::Update(Job& job, json members) {
  const std::lock_guard lock(mutex_);
  job.state.update(members);
  ++job.version;
  changed_.notify_all();
}

void Jobs::Run() {
  while (true) {
    std::shared_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (job->cancel.cancelled()) {
      Update(*job, {{"state", "cancelled"}, {"finished_at", std::time(nullptr)}});
      continue;
    }
    Update(*job, {{"state", "running"}, {"started_at", std::time(nullptr)}});
    Result<json> result = Fail(ErrorCode::kInternal, "internal error");
    try {
      result = job->work(job->cancel, [&](json members) { Update(*job, std::move(members)); });
    } catch (...) {  // reported as an internal error
    }
    json last = {{"finished_at", std::time(nullptr)}, {"state", "done"}};
    if (result) {
      last.update(*result);
    } else if (result.error().code == ErrorCode::kCancelled) {
      last["state"] = "cancelled";
    } else {
      last["state"] = "failed";
      last["error"] = result.error().message;
    }
    Update(*job, std::move(last));
    job->work = nullptr;
  }
}

std::shared_ptr<Jobs::Job> Jobs::Find(const std::string& kind, const std::string& id) const {
  for (const auto& job : jobs_) {
    if (job->kind == kind && job->state["id"] == id) return job;
  }
  return nullptr;
}

Result<json> Jobs::Get(const std::string& kind, const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto job = Find(kind, id);
  if (job == nullptr) return Fail(ErrorCode::kNotFound, "no such job");
  return job->state;
}

json Jobs::List(const std::string& kind) const {
  const std::lock_guard lock(mutex_);
  json list = json::array();
  for (const auto& job : jobs_) {
    if (job->kind == kind) list.push_back(job->state);
  }
  return list;
}

uint64_t Jobs::WaitForChange(const std::string& id, uint64_t version) const {
  std::unique_lock lock(mutex_);
  const auto at =
      std::ranges::find_if(jobs_, [&](const auto& job) { return job->state["id"] == id; });
  if (at == jobs_.end()) return version;
  const auto job = *at;
  changed_.wait_for(lock, std::chrono::seconds(1),
                    [&] { return stopping_ || job->version != version; });
  return job->version;
}

Result<json> Jobs::Cancel(const std::string& kind, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto job = Find(kind, id);
  if (job == nullptr) return Fail(ErrorCode::kNotFound, "no such job");
  job->cancel.Cancel();
  return job->state;
}

void Jobs::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& job : jobs_) job->cancel.Cancel();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace vade::qa::server
