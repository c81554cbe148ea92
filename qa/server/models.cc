#include "qa/server/models.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vade::qa::server {
namespace {

struct Sign {
  std::string_view words;
  double weight;
};
/// What makes an answer more than a look-up. Lower case.
constexpr std::array<Sign, 26> kSigns = {
    {{"compare", .4},   {"difference", .4}, {"versus", .4},       {" vs", .4},
     {"why", .3},       {"explain", .3},    {"summar", .4},       {"trade-off", .4},
     {"pros and", .4},  {"advantages", .3}, {"step by step", .3}, {"plan", .2},
     {"how would", .3}, {"which of", .2},   {"and then", .2},     {"if ", .1},
     {"비교", .4},      {"차이", .4},       {"왜", .3},           {"설명", .3},
     {"요약", .4},      {"장단점", .4},     {"이유", .3},         {"단계별", .3},
     {"어느 것", .2},   {"그리고", .1}}};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

size_t CountWords(std::string_view text) {
  size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return words;
}

std::string_view WithoutLatest(std::string_view name) {
  return name.ends_with(":latest") ? name.substr(0, name.size() - 7) : name;
}

}  // namespace

Complexity MeasureComplexity(std::string_view question) {
  Complexity out;
  const auto add = [&](double weight, const std::string& why) {
    out.score = std::min(1.0, out.score + weight);
    out.reason += (out.reason.empty() ? "" : ", ") + why;
  };
  const size_t words = CountWords(question);
  if (words > 12)
    add(std::min(.4, .02 * static_cast<double>(words - 12)), std::to_string(words) + " words");
  const auto marks = std::ranges::count(question, '?');
  if (marks > 1) add(.2, std::to_string(marks) + " questions in one");
  const std::string lower = Lower(question);
  for (const Sign& sign : kSigns) {
    if (lower.find(sign.words) == std::string::npos) continue;
    const size_t begin = sign.words.find_first_not_of(' ');
    const size_t end = sign.words.find_last_not_of(' ');
    add(sign.weight, "'" + std::string(sign.words.substr(begin, end - begin + 1)) + "'");
  }
  if (out.reason.empty()) out.reason = "a short question of one part";
  return out;
}

Models::Models(ModelSettings settings) : settings_(std::move(settings)), pool_(settings_.pool) {}

Result<Routing> Models::Route(std::string_view question) const {
  constexpr double kMedium = .3;
  constexpr double kLarge = .6;
  const Complexity complexity = MeasureComplexity(question);
  const std::array<std::pair<const char*, const std::string*>, 3> sizes = {
      {{"small", &settings_.small}, {"medium", &settings_.medium}, {"large", &settings_.large}}};
  const size_t wanted = complexity.score >= kLarge ? 2 : complexity.score >= kMedium ? 1 : 0;
  for (const size_t i : {wanted, wanted + 1, wanted + 2, wanted - 1, wanted - 2}) {
    if (i >= sizes.size() || sizes[i].second->empty()) continue;  // below 0 wraps around
    std::string reason = complexity.reason;
    if (i != wanted) reason += std::string("; no ") + sizes[wanted].first + " model is configured";
    return Routing{*sizes[i].second, sizes[i].first, std::move(reason)};
  }
  if (!settings_.default_model.empty()) {
    return Routing{settings_.default_model, "medium", "the only model configured"};
  }
  return Fail(ErrorCode::kNotFound,
              "model 'auto' needs models to choose from (vade serve --small, --medium, --large)");
}

Result<GeneratorUse> Models::Generator(const std::string& name,
                                       std::optional<std::chrono::seconds> keep_alive,
                                       const CancelToken* cancel) {
  if (const auto at = settings_.remote.find(name); at != settings_.remote.end()) {
    return GeneratorUse{name, at->second, 0};
  }
  const auto started = std::chrono::steady_clock::now();
  VADE_TRY(auto lease, pool_.Acquire(name, ModelKind::kGenerate, keep_alive, cancel));
  engine::LanguageModel* model = &lease->model();
  const std::chrono::duration<double, std::milli> load = std::chrono::steady_clock::now() - started;
  return GeneratorUse{name, std::shared_ptr<engine::LanguageModel>(std::move(lease), model),
                      load.count()};
}

Result<std::shared_ptr<ModelLease>> Models::Encoder(const std::string& name, ModelKind kind,
                                                    std::optional<std::chrono::seconds> keep_alive,
                                                    const CancelToken* cancel) {
  return pool_.Acquire(name, kind, keep_alive, cancel);
}

std::vector<InstalledModel> Models::Installed() {
  std::vector<InstalledModel> out;
  const auto add = [&](const std::string& name, const std::filesystem::path& path) {
    const bool known =
        std::ranges::any_of(out, [&](const InstalledModel& other) { return other.name == name; });
    if (known) return;
    auto facts = facts_.Get(path);
    out.push_back({name, path, facts ? std::optional(*std::move(facts)) : std::nullopt});
  };
  for (const auto& [name, path] : settings_.pool.names.named) add(name, path);
  for (const KeptModel& kept : KeptModels(settings_.pool.names.folder)) {
    std::string name = std::filesystem::path(kept.file).stem().native();
    if (const size_t part = name.find("-00001-of-"); part != std::string::npos) name.resize(part);
    add(name, settings_.pool.names.folder / kept.file);
  }
  for (const auto& [name, model] : settings_.remote) out.push_back({name, {}, std::nullopt});
  return out;
}

uint64_t Models::ContextLength(const ModelFacts& facts) const {
  const uint64_t most = settings_.pool.setup.context_length;
  return most == 0 ? facts.context_length : std::min(most, facts.context_length);
}

Result<InstalledModel> Models::Find(const std::string& name) {
  for (InstalledModel& model : Installed()) {
    if (model.name == WithoutLatest(name)) return std::move(model);
  }
  return Fail(ErrorCode::kNotFound, "model '" + name.substr(0, 200) + "' not found");
}

}  // namespace vade::qa::server
