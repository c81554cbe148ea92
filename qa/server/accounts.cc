#include "qa/server/accounts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <tuple>
#include <utility>

#include "engine/base/unique_fd.h"
#include "qa/server/event_stream.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;

constexpr double kFirstStepMs = 0.1;
constexpr double kStep = 1.1;
constexpr off_t kMaxUsageBytes = off_t{64} << 20;  // then the file becomes FILE.1
constexpr std::array<double, 11> kBucketsMs = {1,   5,    10,   50,    100,  250,
                                               500, 1000, 2500, 10000, 60000};

int64_t UnixSeconds() { return static_cast<int64_t>(std::time(nullptr)); }

std::string DayOf(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &utc);
  return text.data();
}

double PerSecond(uint64_t count, double ms) {
  return ms > 0 ? static_cast<double>(count) * 1000 / ms : 0;
}

std::string Label(std::string_view text) {  // of a Prometheus label's value
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Shown(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

}  // namespace

void LatencyHistogram::Add(double ms) {
  const double step =
      ms <= kFirstStepMs ? 0 : std::ceil(std::log(ms / kFirstStepMs) / std::log(kStep));
  ++steps_[std::min(static_cast<size_t>(step), kSteps - 1)];
  ++count_;
  sum_ms_ += ms;
}

double LatencyHistogram::Percentile(double percent) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100));
  uint64_t seen = 0;
  for (size_t i = 0; i < kSteps; ++i) {
    seen += steps_[i];
    if (seen >= wanted && seen > 0) {  // the middle of the step
      return kFirstStepMs * std::pow(kStep, static_cast<double>(i) - 0.5);
    }
  }
  return 0;
}

uint64_t LatencyHistogram::CountUpTo(double ms) const {
  uint64_t seen = 0;
  for (size_t i = 0; i < kSteps; ++i) {
    if (kFirstStepMs * std::pow(kStep, static_cast<double>(i)) > ms * 1.0001) break;
    seen += steps_[i];
  }
  return seen;
}

Accounts::Accounts(std::filesystem::path usage_file, std::vector<ApiKey> keys, std::string currency)
    : usage_file_(std::move(usage_file)),
      keys_(std::move(keys)),
      currency_(std::move(currency)),
      since_(UnixSeconds()) {}

Accounts::Minute& Accounts::Now() {
  const int64_t minute = UnixSeconds() / 60;
  Minute& slot = minutes_[static_cast<size_t>(minute % 60)];
  if (slot.minute != minute) slot = Minute{.minute = minute};
  return slot;
}

void Accounts::Add(const RequestEnd& end) {
  const std::lock_guard lock(mutex_);
  ++statuses_[{end.route, end.method, std::to_string(end.status)}];
  routes_[end.route].Add(end.ms);
  Minute& now = Now();
  ++now.requests;
  if (end.status >= 500) ++now.errors;
  now.latency.Add(end.ms);
}

double Accounts::Cost(const ModelUse& use) const {
  const auto key = std::ranges::find(keys_, use.key, &ApiKey::name);
  if (key == keys_.end() || use.cached) return 0;
  return (static_cast<double>(use.prompt_tokens) * key->prompt_price +
          static_cast<double>(use.completion_tokens) * key->completion_price) /
         1e6;
}

void Accounts::Add(const ModelUse& use) {
  const double cost = Cost(use);
  {
    const std::lock_guard lock(mutex_);
    for (Totals* totals : {&models_[use.model], &by_key_[use.key]}) {
      ++totals->requests;
      totals->prompt_tokens += use.prompt_tokens;
      totals->completion_tokens += use.completion_tokens;
      totals->prefill_ms += use.prefill_ms;
      totals->decode_ms += use.decode_ms;
      totals->cost += cost;
      if (use.first_token_ms > 0) totals->first_token.Add(use.first_token_ms);
    }
    Minute& now = Now();
    now.prompt_tokens += use.prompt_tokens;
    now.completion_tokens += use.completion_tokens;
    now.decode_ms += use.decode_ms;
  }
  Append(use, cost);
}

/// One write, so that lines of several processes do not mix. A full disk loses accounts, not
/// answers.
void Accounts::Append(const ModelUse& use, double cost) const {
  if (usage_file_.empty()) return;
  const UniqueFd fd(open(usage_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd) return;
  struct stat info {};
  if (fstat(fd.get(), &info) == 0 && info.st_size > kMaxUsageBytes) {
    std::rename(usage_file_.c_str(), (usage_file_.native() + ".1").c_str());
  }
  const std::string line = Dump({{"t", UnixSeconds()},
                                 {"id", use.request_id},
                                 {"key", use.key},
                                 {"model", use.model},
                                 {"route", use.route},
                                 {"prompt_tokens", use.prompt_tokens},
                                 {"completion_tokens", use.completion_tokens},
                                 {"ms", use.ms},
                                 {"first_token_ms", use.first_token_ms},
                                 {"cached", use.cached},
                                 {"cost", cost}}) +
                           "\n";
  [[maybe_unused]] const ssize_t written = write(fd.get(), line.data(), line.size());
}

json Accounts::Dashboard() const {
  const std::lock_guard lock(mutex_);
  uint64_t requests = 0, errors = 0, prompt = 0, completion = 0;
  double cost = 0;
  for (const auto& [labels, count] : statuses_) {
    requests += count;
    if (labels[2].front() == '5') errors += count;
  }
  json latency = json::object();
  for (const auto& [route, histogram] : routes_) {
    latency[route] = {{"count", histogram.count()},
                      {"p50_ms", histogram.Percentile(50)},
                      {"p90_ms", histogram.Percentile(90)},
                      {"p95_ms", histogram.Percentile(95)},
                      {"p99_ms", histogram.Percentile(99)}};
  }
  json models = json::array();
  for (const auto& [name, totals] : models_) {
    prompt += totals.prompt_tokens;
    completion += totals.completion_tokens;
    models.push_back({{"name", name},
                      {"requests", totals.requests},
                      {"prompt_tokens", totals.prompt_tokens},
                      {"completion_tokens", totals.completion_tokens},
                      {"tokens_per_s", PerSecond(totals.completion_tokens, totals.decode_ms)},
                      {"ttft_p50_ms", totals.first_token.Percentile(50)},
                      {"ttft_p95_ms", totals.first_token.Percentile(95)}});
  }
  json keys = json::array();
  for (const auto& [name, totals] : by_key_) {
    cost += totals.cost;
    keys.push_back({{"key", name},
                    {"requests", totals.requests},
                    {"prompt_tokens", totals.prompt_tokens},
                    {"completion_tokens", totals.completion_tokens},
                    {"cost", totals.cost}});
  }
  json series = json::array();
  const int64_t now = UnixSeconds() / 60;
  for (int64_t minute = now - 59; minute <= now; ++minute) {
    const Minute& slot = minutes_[static_cast<size_t>(minute % 60)];
    const Minute empty;
    const Minute& each = slot.minute == minute ? slot : empty;
    series.push_back({{"t", minute * 60},
                      {"requests", each.requests},
                      {"errors", each.errors},
                      {"p50_ms", each.latency.Percentile(50)},
                      {"p95_ms", each.latency.Percentile(95)},
                      {"prompt_tokens", each.prompt_tokens},
                      {"completion_tokens", each.completion_tokens},
                      {"tokens_per_s", PerSecond(each.completion_tokens, each.decode_ms)}});
  }
  const bool priced = std::ranges::any_of(
      keys_, [](const ApiKey& key) { return key.prompt_price > 0 || key.completion_price > 0; });
  return {{"since", since_},
          {"requests", requests},
          {"errors", errors},
          {"tokens", {{"prompt", prompt}, {"completion", completion}}},
          {"cost", priced ? json{{"currency", currency_}, {"total", cost}} : json(nullptr)},
          {"latency", std::move(latency)},
          {"series", std::move(series)},
          {"models", std::move(models)},
          {"keys", std::move(keys)}};
}

std::string Accounts::Metrics() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  const auto family = [&](const char* name, const char* type, const char* help) {
    out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
  };
  family("vade:http_requests_total", "counter", "Requests by route, method and status.");
  for (const auto& [labels, count] : statuses_) {
    out += "vade:http_requests_total{route=\"" + Label(labels[0]) + "\",method=\"" +
           Label(labels[1]) + "\",status=\"" + Label(labels[2]) + "\"} " + std::to_string(count) +
           "\n";
  }
  family("vade:http_request_duration_seconds", "histogram", "Time to the end of the reply.");
  for (const auto& [route, histogram] : routes_) {
    const std::string label = "route=\"" + Label(route) + "\"";
    for (const double bucket : kBucketsMs) {
      out += "vade:http_request_duration_seconds_bucket{" + label + ",le=\"" +
             Shown(bucket / 1000) + "\"} " + std::to_string(histogram.CountUpTo(bucket)) + "\n";
    }
    out += "vade:http_request_duration_seconds_bucket{" + label + ",le=\"+Inf\"} " +
           std::to_string(histogram.count()) + "\n";
    out += "vade:http_request_duration_seconds_sum{" + label + "} " +
           Shown(histogram.sum_ms() / 1000) + "\n";
    out += "vade:http_request_duration_seconds_count{" + label + "} " +
           std::to_string(histogram.count()) + "\n";
  }
  const auto per_model = [&](const char* name, const char* type, const char* help,
                             const auto& value) {
    family(name, type, help);
    for (const auto& [model, totals] : models_) {
      out += std::string(name) + "{model=\"" + Label(model) + "\"} " + Shown(value(totals)) + "\n";
    }
  };
  per_model("vade:prompt_tokens_total", "counter", "Prompt tokens read.",
            [](const Totals& t) { return static_cast<double>(t.prompt_tokens); });
  per_model("vade:tokens_predicted_total", "counter", "Tokens written.",
            [](const Totals& t) { return static_cast<double>(t.completion_tokens); });
  per_model("vade:prompt_tokens_seconds", "gauge", "Prompt tokens per second.",
            [](const Totals& t) { return PerSecond(t.prompt_tokens, t.prefill_ms); });
  per_model("vade:predicted_tokens_seconds", "gauge", "Tokens written per second and request.",
            [](const Totals& t) { return PerSecond(t.completion_tokens, t.decode_ms); });
  return out;
}

// --- Usage ---------------------------------------------------------------------------------------

Result<std::vector<UsageRow>> ReadUsage(const std::filesystem::path& file) {
  std::map<std::tuple<std::string, std::string, std::string>, UsageRow> rows;
  bool found = false;
  for (const std::string& path : {file.native() + ".1", file.native()}) {
    std::ifstream stream(path);
    found |= stream.is_open();
    for (std::string line; std::getline(stream, line);) {
      const json use = json::parse(line, nullptr, false);
      if (!use.is_object() || !use.value("t", json()).is_number_integer()) continue;
      const auto text = [&](const char* name) {
        const json value = use.value(name, json());
        return value.is_string() ? value.get<std::string>() : std::string();
      };
      const auto number = [&](const char* name) {
        const json value = use.value(name, json());
        return value.is_number() ? value.get<double>() : 0.0;
      };
      const std::string day = DayOf(use["t"].get<int64_t>());
      UsageRow& row = rows[{day, text("key"), text("model")}];
      row.day = day;
      row.key = text("key");
      row.model = text("model");
      ++row.requests;
      row.cached += use.value("cached", json()) == true ? 1 : 0;
      row.prompt_tokens += static_cast<uint64_t>(std::max(0.0, number("prompt_tokens")));
      row.completion_tokens += static_cast<uint64_t>(std::max(0.0, number("completion_tokens")));
      row.seconds += number("ms") / 1000;
      row.cost += number("cost");
    }
  }
  if (!found) {
    return Fail(ErrorCode::kNotFound, "no usage was recorded yet (" + file.native() + ")");
  }
  std::vector<UsageRow> out;
  for (auto& [key, row] : rows) out.push_back(std::move(row));
  return out;
}

std::string UsageCsv(const std::vector<UsageRow>& rows) {
  const auto quoted = [](const std::string& text) {
    // A spreadsheet would take these for a formula.
    const bool formula =
        !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos;
    std::string out = formula ? "\"'" : "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
  };
  std::string out = "day,key,model,requests,cached,prompt_tokens,completion_tokens,seconds,cost\n";
  for (const UsageRow& row : rows) {
    out += row.day + "," + quoted(row.key) + "," + quoted(row.model) + "," +
           std::to_string(row.requests) + "," + std::to_string(row.cached) + "," +
           std::to_string(row.prompt_tokens) + "," + std::to_string(row.completion_tokens) + "," +
           Shown(row.seconds) + "," + Shown(row.cost) + "\n";
  }
  return out;
}

}  // namespace vade::qa::server
