// /api: what clients of Ollama expect. Lines of JSON unless "stream" is false; nanoseconds.
#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>
#include <utility>

#include "qa/server/answering.h"
#include "qa/server/encoding.h"
#include "qa/server/errors.h"
#include "qa/server/event_stream.h"
#include "qa/server/generation.h"
#include "qa/server/service.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::seconds;

constexpr size_t kMaxInputs = 2048;
constexpr const char* kVersion = "0.12.0";  // of the API that is spoken

std::string Rfc3339(timespec time) {
  std::tm utc{};
  gmtime_r(&time.tv_sec, &utc);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ",
                utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                utc.tm_sec, time.tv_nsec);
  return text.data();
}

std::string Now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return Rfc3339(now);
}

int64_t Nanoseconds(double ms) { return std::llround(ms * 1e6); }

/// "10m", "1h30m", "-1", 300, 0. Nothing when absent.
std::optional<Seconds> ReadKeepAlive(Fields& fields) {
  const json& value = fields.Value("keep_alive");
  if (value.is_null()) return std::nullopt;
  constexpr double kMost = 1e9;
  if (value.is_number()) {
    const double seconds = std::clamp(value.get<double>(), -1.0, kMost);
    return Seconds(static_cast<int64_t>(seconds < 0 ? -1 : std::ceil(seconds)));
  }
  const std::string text = fields.String("keep_alive", "", 64);
  const char* at = text.data();
  const char* end = at + text.size();
  double total = 0;
  bool valid = at != end;
  const bool negative = valid && *at == '-';
  at += negative ? 1 : 0;
  while (valid && at != end) {
    double number = 0;
    const std::from_chars_result read = std::from_chars(at, end, number);
    const std::string_view rest(read.ptr, static_cast<size_t>(end - read.ptr));
    const auto unit = [&](std::string_view name, double seconds) {
      if (!rest.starts_with(name)) return false;
      total += number * seconds;
      at = read.ptr + name.size();
      return true;
    };
    valid = read.ec == std::errc() && (unit("ms", .001) || unit("h", 3600) || unit("m", 60) ||
                                       unit("s", 1) || (rest.empty() && unit("", 1)));
  }
  if (!valid || !(total <= kMost)) {
    fields.Complain("keep_alive", "expected a duration such as \"10m\", or seconds");
    return std::nullopt;
  }
  return Seconds(negative ? -1 : static_cast<int64_t>(std::ceil(total)));
}

struct Asked {
  std::string model;
  bool stream = true;
  std::optional<Seconds> keep_alive;
  engine::ModelRequest request;
};

void ReadOptions(Fields& fields, engine::ModelRequest& out) {
  Fields options = fields.In("options");
  ReadSampling(options, out);
  // -1 and -2: as much as there is room for.
  const int64_t most = options.Integer("num_predict", -2, 1 << 24, -1);
  out.max_tokens = most > 0 ? static_cast<size_t>(most) : 0;
  (void)options.Integer("num_ctx", 1, 1 << 24, 0);  // what does not fit is an error, never cut off
  fields.Absorb(options);
}

/// "json" or a schema.
void ReadFormat(Fields& fields, engine::ModelRequest& out) {
  const json& format = fields.Value("format");
  using Kind = engine::OutputFormat::Kind;
  if (format.is_null() || format == "") return;
  if (format == "json") {
    out.format = {Kind::kJsonObject, ""};
  } else if (format.is_object()) {
    out.format = {Kind::kJsonSchema, Dump(format)};
  } else {
    fields.Complain("format", "expected \"json\" or a JSON schema");
  }
}

void ReadCommon(Fields& fields, Asked& out) {
  out.model = fields.RequiredString("model", 512);
  out.stream = fields.Bool("stream", true);
  out.keep_alive = ReadKeepAlive(fields);
  ReadOptions(fields, out.request);
  ReadFormat(fields, out.request);
  out.request.sampling.logprobs = fields.Bool("logprobs", false);
  out.request.sampling.top_logprobs =
      static_cast<int32_t>(fields.Integer("top_logprobs", 0, 20, 0));
  for (const char* name : {"suffix", "template"}) {
    if (!fields.String(name).empty()) fields.Complain(name, "not supported");
  }
  if (fields.Has("images") && !fields.Array("images", 64).empty()) {
    fields.Complain("images", "pictures are not understood");
  }
}

Result<Asked> ReadChat(const json& body) {
  Fields fields(body);
  Asked out;
  ReadCommon(fields, out);
  // No messages: only load, or unload with a keep_alive of 0.
  const json& messages = fields.Array("messages", 4096);
  if (messages.is_array() && !messages.empty()) out.request.messages = ReadMessages(fields);
  out.request.tools = ReadTools(fields);
  VADE_CHECK_OK(fields.Status());
  return out;
}

Result<Asked> ReadGenerate(const json& body) {
  Fields fields(body);
  Asked out;
  ReadCommon(fields, out);
  const std::string prompt = fields.String("prompt");
  const std::string system = fields.String("system");
  if (fields.Bool("raw", false)) {
    if (!prompt.empty()) out.request.prompt = prompt;
  } else if (!prompt.empty()) {
    if (!system.empty()) out.request.messages.push_back({"system", system});
    out.request.messages.push_back({"user", prompt});
  }
  VADE_CHECK_OK(fields.Status());
  return out;
}

json ToolCalls(const std::vector<engine::ToolCall>& calls) {
  json out = json::array();
  for (const engine::ToolCall& call : calls) {
    json arguments = json::parse(call.arguments, nullptr, false);
    if (!arguments.is_object()) arguments = json::object();
    out.push_back(
        {{"id", call.id},
         {"function", {{"index", out.size()}, {"name", call.name}, {"arguments", arguments}}}});
  }
  return out;
}

json Logprobs(const engine::ModelReply& reply) {
  json out = json::array();
  const auto entry = [](const std::string& bytes, float logprob) {
    return json{{"token", bytes}, {"logprob", logprob}};
  };
  for (const engine::TokenLogprob& token : reply.logprobs) {
    json item = entry(token.bytes, token.logprob);
    for (const auto& other : token.top) {
      item["top_logprobs"].push_back(entry(other.bytes, other.logprob));
    }
    out.push_back(std::move(item));
  }
  return out;
}

/// /api/chat and /api/generate, which differ in where the text stands.
class Writer {
 public:
  Writer(const Request& request, Reply& reply, const Asked& asked, bool chat)
      : request_(request), reply_(reply), asked_(asked), chat_(chat) {}

  [[nodiscard]] bool Text(std::string_view text) {
    if (!asked_.stream) return true;
    if (!lines_) lines_.emplace(reply_);
    json line = Head(text);
    line["done"] = false;
    return lines_->Send(line);
  }

  void Finish(const engine::ModelReply& reply, double load_ms, const json& extra) {
    const bool calls = !reply.tool_calls.empty();
    if (asked_.stream && calls && chat_) {
      if (!lines_) lines_.emplace(reply_);
      json line = Head("");
      line["message"]["tool_calls"] = ToolCalls(reply.tool_calls);
      line["done"] = false;
      lines_->Send(line);
    }
    json last = Head(asked_.stream ? std::string_view() : std::string_view(reply.text));
    if (!asked_.stream && calls && chat_) {
      last["message"]["tool_calls"] = ToolCalls(reply.tool_calls);
    }
    if (!reply.logprobs.empty()) last["logprobs"] = Logprobs(reply);
    const bool cut = reply.reason == engine::StopReason::kMaxTokens ||
                     reply.reason == engine::StopReason::kContextFull;
    last["done"] = true;
    last["done_reason"] = cut ? "length" : "stop";
    const std::chrono::duration<double, std::milli> total = Clock::now() - started_;
    last["total_duration"] = Nanoseconds(total.count());
    last["load_duration"] = Nanoseconds(load_ms);
    last["prompt_eval_count"] = reply.prompt_tokens;
    last["prompt_eval_duration"] = Nanoseconds(reply.prefill_ms);
    last["eval_count"] = reply.completion_tokens;
    last["eval_duration"] = Nanoseconds(reply.decode_ms);
    last.update(extra);
    Last(last);
  }

  /// Only loading or unloading was asked for.
  void FinishEmpty(const char* reason) {
    json last = Head("");
    last["done"] = true;
    last["done_reason"] = reason;
    Last(last);
  }

  void Fail(const Error& error) {
    Response response = ErrorResponse(request_.path, error);
    if (!lines_) return reply_.Send(std::move(response));
    lines_->Send(json::parse(response.body));
  }

 private:
  json Head(std::string_view text) const {
    json out = {{"model", asked_.model}, {"created_at", Now()}};
    if (chat_) {
      out["message"] = {{"role", "assistant"}, {"content", text}};
    } else {
      out["response"] = text;
    }
    return out;
  }

  void Last(const json& last) {
    if (!asked_.stream) return reply_.Send(JsonResponse(last));
    if (!lines_) lines_.emplace(reply_);
    lines_->Send(last);
  }

  const Request& request_;
  Reply& reply_;
  const Asked& asked_;
  const bool chat_;
  const Clock::time_point started_ = Clock::now();
  std::optional<LineStream> lines_;
};

void FromLibrary(Service& service, const Request& request, Reply& reply, const Asked& asked,
                 bool chat) {
  Writer writer(request, reply, asked, chat);
  const auto& messages = asked.request.messages;
  if (messages.empty() || messages.back().role != "user") {
    return writer.Fail({ErrorCode::kInvalidArgument, "messages: the last one must be the user's"});
  }
  LibraryQuestion question;
  question.text = messages.back().content;
  question.chat.generate = asked.request;
  question.chat.generate.messages.clear();
  question.chat.search.k = 8;
  question.history = HistoryOf(messages);
  LibrarySinks sinks;
  sinks.shown = [&](std::string_view text) { return writer.Text(text); };
  const auto answer = AnswerQuestion(service, request, question, sinks, reply.cancel());
  if (!answer) return writer.Fail(answer.error());
  if (!answer->streamed && !writer.Text(answer->reply.text)) return;
  writer.Finish(answer->reply, 0,
                {{"sources", answer->json["citations"]}, {"refused", answer->json["refused"]}});
}

void Write(Service& service, const Request& request, Reply& reply, const Asked& asked, bool chat) {
  Writer writer(request, reply, asked, chat);
  const bool empty = asked.request.messages.empty() && !asked.request.prompt;
  if (asked.model == kLibraryModel) {
    return empty ? writer.FinishEmpty("load") : FromLibrary(service, request, reply, asked, chat);
  }
  if (empty && asked.keep_alive == Seconds(0)) {
    (void)service.models.pool().Stop(asked.model);  // not loaded is as good
    return writer.FinishEmpty("unload");
  }
  std::string model = asked.model;
  json extra = json::object();
  if (model == kRoutedModel) {
    const std::string question = asked.request.prompt ? *asked.request.prompt
                                 : asked.request.messages.empty()
                                     ? ""
                                     : asked.request.messages.back().content;
    const auto routing = service.models.Route(question);
    if (!routing) return writer.Fail(routing.error());
    model = routing->model;
    extra["route"] = {
        {"model", routing->model}, {"size", routing->size}, {"reason", routing->reason}};
  }
  const auto use = service.models.Generator(model, asked.keep_alive, &reply.cancel());
  if (!use) return writer.Fail(use.error());
  if (empty) return writer.FinishEmpty("load");
  const auto written = Generate(
      service, request, *use, asked.request,
      [&](std::string_view text) { return writer.Text(text); }, reply.cancel());
  if (!written) return writer.Fail(written.error());
  writer.Finish(*written, use->load_ms, extra);
}

// --- Embeddings

Result<Response> Embed(Service& service, const Request& request, const CancelToken& cancel) {
  const auto started = Clock::now();
  VADE_TRY(const json body, ParseJson(request.body));
  Fields fields(body);
  const std::string model = fields.RequiredString("model", 512);
  const auto dimensions = static_cast<size_t>(fields.Integer("dimensions", 0, 1 << 20, 0));
  const bool truncate = fields.Bool("truncate", true);
  const auto keep_alive = ReadKeepAlive(fields);
  const std::vector<std::string> texts = fields.Strings("input", kMaxInputs);
  VADE_CHECK_OK(fields.Status());
  UseRecorder recorder(service, request, model);
  VADE_TRY(const EmbeddedTexts embedded,
           EmbedTexts(service, model, texts, dimensions, truncate, keep_alive, &cancel));
  recorder.Record(embedded.tokens);
  const std::chrono::duration<double, std::milli> total = Clock::now() - started;
  return JsonResponse({{"model", model},
                       {"embeddings", embedded.vectors},
                       {"total_duration", Nanoseconds(total.count())},
                       {"load_duration", Nanoseconds(embedded.load_ms)},
                       {"prompt_eval_count", embedded.tokens}});
}

/// The older route: one prompt, one embedding.
Result<Response> EmbedOne(Service& service, const Request& request, const CancelToken& cancel) {
  VADE_TRY(const json body, ParseJson(request.body));
  Fields fields(body);
  const std::string model = fields.RequiredString("model", 512);
  const std::string prompt = fields.String("prompt");
  const auto keep_alive = ReadKeepAlive(fields);
  VADE_CHECK_OK(fields.Status());
  UseRecorder recorder(service, request, model);
  VADE_TRY(const EmbeddedTexts embedded,
           EmbedTexts(service, model, {prompt}, 0, true, keep_alive, &cancel));
  recorder.Record(embedded.tokens);
  return JsonResponse({{"embedding", embedded.vectors.front()}});
}

// --- Models

json Details(const std::optional<ModelFacts>& facts) {
  if (!facts) {
    return {{"format", "remote"},
            {"family", ""},
            {"families", nullptr},
            {"parameter_size", ""},
            {"quantization_level", ""}};
  }
  return {{"parent_model", ""},
          {"format", "gguf"},
          {"family", facts->architecture},
          {"families", {facts->architecture}},
          {"parameter_size", facts->ParameterSize()},
          {"quantization_level", facts->quantization}};
}

/// Ollama's clients show names with their tag.
std::string Tagged(const std::string& name) {
  return name.find(':') == std::string::npos ? name + ":latest" : name;
}

Result<Response> Tags(Service& service, const Request&, const CancelToken&) {
  json models = json::array();
  for (const InstalledModel& model : service.models.Installed()) {
    const int64_t modified = model.facts ? model.facts->modified_at : service.started_at;
    models.push_back({{"name", Tagged(model.name)},
                      {"model", Tagged(model.name)},
                      {"modified_at", Rfc3339({modified, 0})},
                      {"size", model.facts ? model.facts->size_bytes : 0},
                      {"digest", model.facts ? model.facts->digest : ""},
                      {"details", Details(model.facts)}});
  }
  return JsonResponse({{"models", std::move(models)}});
}

Result<Response> Ps(Service& service, const Request&, const CancelToken&) {
  json models = json::array();
  for (const LoadedModel& model : service.models.pool().Loaded()) {
    if (model.loading) continue;
    const auto known = service.models.Find(model.name);
    timespec expires{};
    clock_gettime(CLOCK_REALTIME, &expires);
    // In use or for ever: as Ollama, a time far away.
    const auto left = model.expires_at
                          ? std::chrono::duration_cast<Seconds>(*model.expires_at - Clock::now())
                          : std::chrono::hours(24 * 365 * 100);
    expires.tv_sec += left.count();
    models.push_back({{"name", Tagged(model.name)},
                      {"model", Tagged(model.name)},
                      {"size", model.memory_bytes},
                      {"digest", known && known->facts ? known->facts->digest : ""},
                      {"details", Details(known ? known->facts : std::nullopt)},
                      {"expires_at", Rfc3339(expires)},
                      {"size_vram", 0},
                      {"context_length", model.context_length}});
  }
  return JsonResponse({{"models", std::move(models)}});
}

json Capabilities(const ModelFacts& facts) {
  if (facts.kind == ModelKind::kEmbed) return {"embedding"};
  if (facts.kind == ModelKind::kRerank) return {"rerank"};
  json out = {"completion"};
  if (facts.chat_template.find("tools") != std::string::npos) out.push_back("tools");
  return out;
}

Result<Response> Show(Service& service, const Request& request, const CancelToken&) {
  VADE_TRY(const json body, ParseJson(request.body));
  Fields fields(body);
  std::string name = fields.String("model", fields.String("name", "", 512), 512);
  if (name.empty()) fields.Complain("model", "missing");
  VADE_CHECK_OK(fields.Status());
  VADE_TRY(const InstalledModel model, service.models.Find(name));
  json out = {{"modelfile", "FROM " + model.name + "\n"},
              {"parameters", ""},
              {"template", ""},
              {"details", Details(model.facts)},
              {"model_info", json::object()},
              {"capabilities", json::array({"completion"})}};
  if (model.facts) {
    const ModelFacts& facts = *model.facts;
    out["template"] = facts.chat_template;
    out["capabilities"] = Capabilities(facts);
    out["modified_at"] = Rfc3339({facts.modified_at, 0});
    out["model_info"] = {
        {"general.architecture", facts.architecture},
        {"general.parameter_count", facts.num_values},
        {facts.architecture + ".context_length", service.models.ContextLength(facts)},
        {facts.architecture + ".embedding_length", facts.embedding_length}};
  }
  return JsonResponse(out);
}

}  // namespace

void AddOllamaRoutes(Router& router, Service& service) {
  const auto writing = [&service](Result<Asked> (*read)(const json&), bool chat) {
    return [&service, read, chat](const Request& request, Reply& reply) {
      const auto body = ParseJson(request.body);
      if (!body) return reply.Send(ErrorResponse(request.path, body.error()));
      const auto asked = read(*body);
      if (!asked) return reply.Send(ErrorResponse(request.path, asked.error()));
      Write(service, request, reply, *asked, chat);
    };
  };
  router.Add("POST", "/api/chat", writing(ReadChat, true));
  router.Add("POST", "/api/generate", writing(ReadGenerate, false));
  router.Add("POST", "/api/embed", Replying(service, Embed));
  router.Add("POST", "/api/embeddings", Replying(service, EmbedOne));
  router.Add("GET", "/api/tags", Replying(service, Tags));
  router.Add("GET", "/api/ps", Replying(service, Ps));
  router.Add("POST", "/api/show", Replying(service, Show));
  router.Add("GET", "/api/version", [](const Request&, Reply& reply) {
    reply.Send(JsonResponse({{"version", kVersion}}));
  });
}

}  // namespace vade::qa::server
