// Names taken apart, then one request per file (Hugging Face) or one manifest (Ollama).
#include "engine/remote/model_source.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/base/utf8.h"
#include "engine/remote/http_client.h"

namespace vade::remote {
namespace {

using nlohmann::json;

constexpr std::string_view kHuggingFace = "hf://";
constexpr std::string_view kOllama = "ollama://";
constexpr std::string_view kSuffix = ".gguf";
constexpr const char* kMagic = "GGUF";
constexpr uint64_t kMaxFileBytes = uint64_t{4} << 40;
constexpr unsigned kMaxParts = 1000;
constexpr int kMaxManifestDepth = 16;

tl::unexpected<Error> BadName(const std::string& source, const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument,
              "\"" + utf8::Escape(source) + "\": " + why +
                  " (want hf://ORG/REPO/FILE.gguf[@REVISION] or ollama://NAME[:TAG])");
}

// Letters, digits and "-._", not beginning with a dot: nothing that means something to a shell, a
// URL or a file system.
bool IsPlain(std::string_view text) {
  return !text.empty() && text.size() <= 200 && text.front() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('/', at), text.size());
    out.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<uint64_t> ToSize(const std::string& text) {
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && size > 0 && size <= kMaxFileBytes ? std::optional(size) : std::nullopt;
}

std::string Unquoted(std::string text) {
  if (text.starts_with("W/")) text.erase(0, 2);
  std::erase(text, '"');
  return text;
}

tl::unexpected<Error> Status(const std::string& url, long status) {
  const char* why = status == 404                    ? "not found"
                    : status == 401 || status == 403 ? "not allowed: it needs a token (HF_TOKEN) "
                                                       "of an account that may read it"
                                                     : "unexpected";
  return Fail(ErrorCode::kUnavailable,
              ShownUrl(url) + ": " + why + " (status " + std::to_string(status) + ")");
}

// What the first answer, or a redirect on the way, tells about a file: its own site knows the hash,
// the store it redirects to knows the size and the tag that If-Range takes.
Result<RemoteFile> Describe(HttpClient& client, const std::string& url, const std::string& bearer,
                            const CancelToken* cancel) {
  RemoteFile file{.url = url, .bearer = bearer, .beginning = kMagic};
  std::string size;
  const auto learn = [&](const HttpHead& head) {
    const std::string linked = Unquoted(head.Header("x-linked-etag"));
    if (IsSha256(linked)) file.sha256 = linked;
    if (const std::string given = head.Header("x-linked-size"); !given.empty()) size = given;
  };
  HttpRequest request{.url = url, .head_only = true, .bearer = bearer, .cancel = cancel};
  request.on_redirect = learn;
  VADE_TRY(const HttpResponse response, client.Send(request));
  // Addresses signed for GET refuse HEAD; the site itself has said enough then.
  const bool is_known = !file.sha256.empty() && ToSize(size).has_value();
  if (response.head.status != 200 && !is_known) return Status(url, response.head.status);
  if (response.head.status == 200) {
    learn(response.head);
    file.etag = response.head.Header("etag");
  }
  if (file.sha256.empty() && IsSha256(Unquoted(file.etag))) file.sha256 = Unquoted(file.etag);
  if (size.empty()) size = response.head.Header("content-length");
  const auto bytes = ToSize(size);
  if (!bytes) {
    return Fail(ErrorCode::kUnavailable,
                ShownUrl(url) + ": size \"" + utf8::Escape(size) + "\", want 1 to 2^42 bytes");
  }
  file.size_bytes = *bytes;
  return file;
}

// "x-00001-of-00003.gguf": all three. Other names: itself.
std::vector<std::string> PartsOf(const std::string& name) {
  unsigned first = 0;
  unsigned count = 0;
  constexpr size_t kTailChars = std::string_view("-00001-of-00003.gguf").size();
  if (name.size() <= kTailChars) return {name};
  const std::string stem = name.substr(0, name.size() - kTailChars);
  const std::string tail = name.substr(stem.size());
  const auto number = [](const std::string& text, unsigned& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
  };
  const bool is_part = tail[0] == '-' && tail.substr(6, 4) == "-of-" &&
                       number(tail.substr(1, 5), first) && number(tail.substr(10, 5), count);
  if (!is_part || first != 1 || count < 2 || count > kMaxParts) return {name};
  std::vector<std::string> out;
  for (unsigned i = 1; i <= count; ++i) {
    char text[32];
    std::snprintf(text, sizeof text, "-%05u-of-%05u.gguf", i, count);
    out.push_back(stem + text);
  }
  return out;
}

Result<std::vector<ModelFile>> FindAtHuggingFace(const std::string& source,
                                                 const Registries& registries,
                                                 const CancelToken* cancel) {
  std::string rest = source.substr(kHuggingFace.size());
  std::string revision = "main";
  if (const size_t at = rest.rfind('@'); at != std::string::npos) {
    revision = rest.substr(at + 1);
    rest.resize(at);
  }
  const std::vector<std::string> names = Split(rest);
  if (names.size() < 3) return BadName(source, "names no file of a repository");
  if (!std::ranges::all_of(names, IsPlain) || !std::ranges::all_of(Split(revision), IsPlain)) {
    return BadName(source, "has characters that no model's name has");
  }
  if (!names.back().ends_with(kSuffix)) return BadName(source, "is not a .gguf file");
  std::string folder = registries.hugging_face + "/" + names[0] + "/" + names[1] + "/resolve/" +
                       EscapePath(revision) + "/";
  for (size_t i = 2; i + 1 < names.size(); ++i) folder += names[i] + "/";
  HttpClient client;
  std::vector<ModelFile> out;
  for (const std::string& name : PartsOf(names.back())) {
    VADE_TRY(RemoteFile remote,
             Describe(client, folder + name, registries.hugging_face_token, cancel));
    out.push_back({name, std::move(remote)});
  }
  return out;
}

struct OllamaName {
  std::string repository;  // "library/smollm2"
  std::string tag;
  std::string file;  // "smollm2-135m.gguf"
};

Result<OllamaName> ParseOllama(const std::string& source) {
  const std::string rest = source.substr(kOllama.size());
  const size_t colon = rest.rfind(':');
  OllamaName out;
  out.tag = colon == std::string::npos ? "latest" : rest.substr(colon + 1);
  const std::vector<std::string> names = Split(rest.substr(0, colon));
  if (names.size() > 2 || !std::ranges::all_of(names, IsPlain) || !IsPlain(out.tag)) {
    return BadName(source, "is not a model's name");
  }
  out.repository = (names.size() == 1 ? "library/" : names[0] + "/") + names.back();
  out.file = (names.size() == 1 ? "" : names[0] + "-") + names.back() + "-" + out.tag +
             std::string(kSuffix);
  return out;
}

// The one layer that is the model.
Result<RemoteFile> ModelLayer(const std::string& body, const std::string& url) {
  const auto bad = [&](const std::string& why) {
    return Fail(ErrorCode::kUnavailable, ShownUrl(url) + ": " + why);
  };
  bool too_deep = false;
  const json manifest = json::parse(
      body,
      [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > kMaxManifestDepth;
        return !too_deep;
      },
      /*allow_exceptions=*/false);
  if (too_deep || !manifest.is_object()) return bad("not a manifest");
  const json layers = manifest.value("layers", json::array());
  for (const json& layer : layers) {
    if (!layer.is_object()) continue;
    if (layer.value("mediaType", json()) != "application/vnd.ollama.image.model") continue;
    const json digest = layer.value("digest", json());
    const json size = layer.value("size", json());
    if (!digest.is_string() || !size.is_number_unsigned()) return bad("a layer without digest");
    const auto text = digest.get<std::string>();
    if (!text.starts_with("sha256:") || !IsSha256(text.substr(7))) {
      return bad("digest \"" + utf8::Escape(text.substr(0, 100)) + "\", want sha256");
    }
    const auto bytes = size.get<uint64_t>();
    if (bytes == 0 || bytes > kMaxFileBytes) return bad("a layer of " + std::to_string(bytes));
    return RemoteFile{.size_bytes = bytes, .sha256 = text.substr(7), .beginning = kMagic};
  }
  return bad("no model among its layers");
}

Result<std::vector<ModelFile>> FindAtOllama(const std::string& source, const Registries& registries,
                                            const CancelToken* cancel) {
  VADE_TRY(const OllamaName name, ParseOllama(source));
  const std::string base = registries.ollama + "/v2/" + name.repository;
  const std::string url = base + "/manifests/" + name.tag;
  HttpClient client;
  HttpRequest request{.url = url, .cancel = cancel};
  request.headers.push_back("Accept: application/vnd.docker.distribution.manifest.v2+json");
  VADE_TRY(const HttpResponse response, client.Send(request));
  if (response.head.status != 200) return Status(url, response.head.status);
  VADE_TRY(RemoteFile remote, ModelLayer(response.body, url));
  remote.url = base + "/blobs/sha256:" + remote.sha256;
  return std::vector{ModelFile{name.file, std::move(remote)}};
}

}  // namespace

Result<std::vector<ModelFile>> FindModelFiles(const std::string& source,
                                              const Registries& registries,
                                              const CancelToken* cancel) {
  if (source.starts_with(kHuggingFace)) return FindAtHuggingFace(source, registries, cancel);
  if (source.starts_with(kOllama)) return FindAtOllama(source, registries, cancel);
  return BadName(source, "begins with neither hf:// nor ollama://");
}

}  // namespace vade::remote
