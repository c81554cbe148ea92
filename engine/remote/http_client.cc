// One easy handle on a multi handle, which keeps the connections; each hop of a request is one
// transfer.
#include "engine/remote/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::remote {
namespace {

constexpr int kTickMs = 50;          // how often a silent transfer looks at cancel and time
constexpr long kLowSpeedBytes = 64;  // a second; below for so long is a hang
constexpr long kLowSpeedSeconds = 60;
constexpr size_t kMaxHeaderBytes = size_t{64} << 10;
constexpr const char* kUserAgent = "vade/" VADE_VERSION;

using UrlPtr = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

// nullptr for what is no URL.
UrlPtr ParseUrl(const std::string& text) {
  UrlPtr url(curl_url(), &curl_url_cleanup);
  if (url && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) url.reset();
  return url;
}

struct Origin {
  std::string scheme;
  std::string host;
  std::string port;
  bool operator==(const Origin&) const = default;
};

std::optional<Origin> OriginOf(const std::string& text) {
  const UrlPtr url = ParseUrl(text);
  if (!url) return std::nullopt;
  return Origin{UrlPart(url.get(), CURLUPART_SCHEME), UrlPart(url.get(), CURLUPART_HOST),
                UrlPart(url.get(), CURLUPART_PORT)};
}

bool IsPrivate4(uint32_t address) {
  const uint32_t first = address >> 24;
  const uint32_t second = address >> 16 & 255;
  return first == 0 || first == 10 || first == 127 || (first == 169 && second == 254) ||
         (first == 172 && second >= 16 && second < 32) || (first == 192 && second == 168) ||
         (first == 100 && second >= 64 && second < 128);
}

// Loopback, link-local and addresses of private networks.
bool IsPrivate(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return IsPrivate4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return true;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  const uint8_t* bytes = v6.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    uint32_t inner = 0;
    std::memcpy(&inner, bytes + 12, sizeof inner);
    return IsPrivate4(ntohl(inner));
  }
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) ||
         IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) || (bytes[0] & 0xFE) == 0xFC;
}

// Whether the connection that a transfer used, new or kept open, is to such an address.
bool ConnectedPrivately(CURL* curl) {
  const char* text = nullptr;
  if (curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &text) != CURLE_OK || text == nullptr) {
    return false;
  }
  sockaddr_in v4{.sin_family = AF_INET};
  sockaddr_in6 v6{.sin6_family = AF_INET6};
  sockaddr address{};
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    std::memcpy(&address, &v4, sizeof address);
    return IsPrivate(address);
  }
  return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 &&
         IsPrivate(*reinterpret_cast<const sockaddr*>(&v6));
}

using Clock = std::chrono::steady_clock;

// What the callbacks of one hop share.
struct Hop {
  const HttpRequest& request;
  HttpResponse response;
  std::optional<Error> error;  // why a callback stopped the transfer
  size_t header_bytes = 0;
  bool head_told = false;
  bool is_redirect_target = false;
  bool began_private = false;  // the first hop was to a private address
  bool refused_address = false;
  Clock::time_point last_byte = Clock::now();
};

bool IsRedirect(const HttpHead& head) {
  constexpr long kStatuses[] = {301, 302, 303, 307, 308};
  return std::ranges::find(kStatuses, head.status) != std::end(kStatuses) &&
         !head.Header("location").empty();
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  Hop& hop = *static_cast<Hop*>(user);
  const std::string_view line(data, size * count);
  hop.last_byte = Clock::now();
  hop.header_bytes += line.size();
  if (hop.header_bytes > kMaxHeaderBytes) {
    hop.error = Error{ErrorCode::kUnavailable, "more than 64 KiB of headers"};
    return 0;
  }
  HttpHead& head = hop.response.head;
  if (line.starts_with("HTTP/")) {  // also after "100 Continue"
    head.headers.clear();
    return line.size();
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && value.back() <= ' ' && value.back() >= 0) value.remove_suffix(1);
  head.headers[std::move(name)] = std::string(value);
  return line.size();
}

// Once the headers are there: whether the body is wanted.
Result<void> TellHead(Hop& hop, CURL* curl) {
  if (hop.head_told) return {};
  hop.head_told = true;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &hop.response.head.status);
  if (IsRedirect(hop.response.head) || !hop.request.on_head) return {};
  return hop.request.on_head(hop.response.head);
}

struct BodyUser {
  Hop* hop;
  CURL* curl;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& [hop, curl] = *static_cast<BodyUser*>(user);
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size * count);
  hop->last_byte = Clock::now();
  auto done = TellHead(*hop, curl);
  const bool wanted = !IsRedirect(hop->response.head);
  if (done && wanted && hop->request.on_body) {
    done = hop->request.on_body(bytes);
  } else if (done && wanted) {
    std::string& body = hop->response.body;
    body.append(data, bytes.size());
    if (body.size() > hop->request.max_body_bytes) {
      done =
          Fail(ErrorCode::kUnavailable,
               "an answer of more than " + std::to_string(hop->request.max_body_bytes) + " bytes");
    }
  }
  if (done) return bytes.size();
  hop->error = std::move(done).error();
  return 0;
}

// A server may send us elsewhere, but not from the open net into the user's own.
curl_socket_t OnOpenSocket(void* user, curlsocktype, curl_sockaddr* address) {
  Hop& hop = *static_cast<Hop*>(user);
  const bool is_private = IsPrivate(address->addr);
  if (hop.is_redirect_target && is_private && !hop.began_private) {
    hop.refused_address = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }
  void Add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

// Where a redirect leads.
Result<std::string> Target(const HttpHead& head) {
  const UrlPtr url = ParseUrl(head.url);
  const std::string location = head.Header("location");
  const auto bad = [&](const char* why) {
    return Fail(ErrorCode::kUnavailable, ShownUrl(head.url) + ": redirects to \"" +
                                             utf8::Escape(ShownUrl(location)) + "\": " + why);
  };
  if (!url) return bad("not a URL");
  const std::string before = UrlPart(url.get(), CURLUPART_SCHEME);
  if (curl_url_set(url.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) {
    return bad("not a URL");
  }
  const std::string after = UrlPart(url.get(), CURLUPART_SCHEME);
  if (after != "https" && after != "http") return bad("neither http nor https");
  if (before == "https" && after == "http") return bad("from https to http");
  return UrlPart(url.get(), CURLUPART_URL);
}

}  // namespace

struct HttpClient::Impl {
  CURL* curl = nullptr;
  CURLM* multi = nullptr;
  bool never_connected = false;
  Impl() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl = curl_easy_init();
    multi = curl_multi_init();
  }
  ~Impl() {
    curl_easy_cleanup(curl);
    curl_multi_cleanup(multi);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // The settings of every hop. `hop` and `body` live as long as the transfer.
  void Prepare(const std::string& url, const HeaderList& headers, Hop& hop, BodyUser& body) {
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, kUserAgent);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
    const HttpRequest& request = hop.request;
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(request.timeouts.connect.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeouts.total.count()));
    if (request.post) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.post->data());
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.post->size()));
    } else {  // a download; an answer that is being computed may be as slow as it likes
      curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kLowSpeedBytes);
      curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kLowSpeedSeconds);
      curl_easy_setopt(curl, CURLOPT_NOBODY, request.head_only ? 1L : 0L);
    }
    if (request.accept_encoded) curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &hop);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnOpenSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &hop);
  }

  // One transfer, watched all the way.
  CURLcode Perform(const Hop& hop) {
    curl_multi_add_handle(multi, curl);
    const CURLcode code = Run(hop);
    curl_multi_remove_handle(multi, curl);
    return code;
  }

 private:
  CURLcode Run(const Hop& hop) {
    const auto idle = hop.request.timeouts.idle;
    while (true) {
      int running = 0;
      if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      int left = 0;
      if (const CURLMsg* message = curl_multi_info_read(multi, &left)) return message->data.result;
      if (hop.request.cancel != nullptr && hop.request.cancel->cancelled()) {
        return CURLE_ABORTED_BY_CALLBACK;
      }
      if (idle.count() > 0 && Clock::now() - hop.last_byte > idle) return CURLE_OPERATION_TIMEDOUT;
      const auto tick = idle.count() > 0 ? std::min<int64_t>(kTickMs, idle.count()) : kTickMs;
      if (curl_multi_poll(multi, nullptr, 0, static_cast<int>(tick), nullptr) != CURLM_OK) {
        return CURLE_FAILED_INIT;
      }
    }
  }
};

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

std::string HttpHead::Header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? std::string() : found->second;
}

bool HttpClient::never_connected() const { return impl_->never_connected; }

Result<HttpResponse> HttpClient::Send(const HttpRequest& request) {
  const std::optional<Origin> origin = OriginOf(request.url);
  if (!origin || (origin->scheme != "http" && origin->scheme != "https")) {
    return Fail(ErrorCode::kInvalidArgument,
                utf8::Escape(ShownUrl(request.url)) + ": not an http or https URL");
  }
  std::string url = request.url;
  bool began_private = false;
  for (size_t hops = 0;; ++hops) {
    Hop hop{.request = request};
    hop.response.head.url = url;
    hop.is_redirect_target = hops > 0;
    hop.began_private = began_private;
    HeaderList headers;
    for (const std::string& line : request.headers) headers.Add(line);
    if (!request.bearer.empty() && OriginOf(url) == origin) {
      headers.Add("Authorization: Bearer " + request.bearer);
    }
    BodyUser body{&hop, impl_->curl};
    impl_->Prepare(url, headers, hop, body);
    const CURLcode code = impl_->Perform(hop);
    impl_->never_connected = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
    if (hops == 0) began_private = ConnectedPrivately(impl_->curl);
    if (request.cancel != nullptr && request.cancel->cancelled()) {
      return Fail(ErrorCode::kCancelled, "interrupted");
    }
    if (hop.error) return Fail(ShownUrl(url), std::move(*hop.error));
    if (hop.refused_address) {
      return Fail(ErrorCode::kUnavailable,
                  ShownUrl(url) + ": a redirect into a private network: not followed");
    }
    if (code != CURLE_OK) {
      return Fail(ErrorCode::kUnavailable, ShownUrl(url) + ": " + curl_easy_strerror(code));
    }
    if (auto told = TellHead(hop, impl_->curl); !told) {
      return Fail(ShownUrl(url), std::move(told).error());
    }
    if (!IsRedirect(hop.response.head)) return std::move(hop.response);
    if (request.max_redirects == 0) {
      return Fail(ErrorCode::kUnavailable,
                  ShownUrl(url) + ": redirects to " +
                      utf8::Escape(ShownUrl(hop.response.head.Header("location"))) +
                      ", which is not followed: name that server");
    }
    if (request.on_redirect) request.on_redirect(hop.response.head);
    if (hops == request.max_redirects) {
      return Fail(ErrorCode::kUnavailable, ShownUrl(request.url) + ": more than " +
                                               std::to_string(request.max_redirects) +
                                               " redirects");
    }
    VADE_TRY(url, Target(hop.response.head));
  }
}

std::string HttpLibraryVersion() {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  return std::string("libcurl ") + info->version +
         (info->ssl_version == nullptr ? "" : std::string(", ") + info->ssl_version);
}

std::string ShownUrl(const std::string& url) {
  std::string out = url.substr(0, url.find_first_of("?#"));
  const size_t scheme = out.find("://");
  const size_t at = out.find('@');
  const size_t path = scheme == std::string::npos ? 0 : out.find('/', scheme + 3);
  if (scheme != std::string::npos && at != std::string::npos && at < path) {
    out.erase(scheme + 3, at - scheme - 2);
  }
  return out;
}

std::string EscapePath(const std::string& path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte / 16], kDigits[byte % 16]};
    }
  }
  return out;
}

}  // namespace vade::remote
