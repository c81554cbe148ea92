// Boost.Beast reads the requests; it refuses what would be smuggled (two lengths, a length beside
// chunks, bare line feeds). This file is the only one that knows of it.
#include "qa/server/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <list>
#include <utility>

#include "engine/base/random_id.h"
#include "engine/base/utf8.h"
#include "qa/server/exchange.h"
#include "qa/server/target.h"
#include "qa/server/workers.h"

namespace vade::qa::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Parser = http::request_parser<http::string_body>;
template <typename T>
using Task = asio::awaitable<T>;

constexpr auto kReturnError = asio::as_tuple(asio::use_awaitable);

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class ServerImpl;

/// One client. Lives on the network's thread; kept alive by its coroutine and by its exchange.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerImpl& server, tcp::socket socket);

  Task<void> Serve();
  /// Idle: ends it. Busy: asks the handler to end, and the connection ends after the reply.
  void WindDown(bool cancel);
  /// Ends it whatever it does; a handler that still writes is told.
  void Close();
  [[nodiscard]] bool busy() const { return exchange_ != nullptr; }

 private:
  enum class Read { kRequest, kRefuse, kEnd };

  Task<Read> ReadRequest(Parser& parser, Request& request);
  Task<Read> ReadHeader(Parser& parser);
  Task<Read> ReadBody(Parser& parser);
  Task<bool> Answer(Request request, bool keep_alive, unsigned version);
  Task<bool> Transmit(Exchange& exchange, bool keep_alive, unsigned version, Access& access);
  Task<bool> WriteWhole(Response response, bool keep_alive, unsigned version, bool head_only,
                        Access& access);
  Task<bool> WriteHead(const Response& head, bool keep_alive, unsigned version);
  Task<bool> WritePiece(const std::string& piece, unsigned version);
  Task<void> WatchForHangUp(std::shared_ptr<Exchange> exchange);
  Task<void> Refuse(const Request& request, int status, std::string message);
  void SetTimer(std::chrono::milliseconds time) { stream_.expires_after(time); }
  [[nodiscard]] Read RefuseWith(int status, std::string message) {
    refusal_status_ = status;
    refusal_ = std::move(message);
    return Read::kRefuse;
  }

  ServerImpl& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  asio::steady_timer wake_;
  std::shared_ptr<Exchange> exchange_;  // of the request in flight
  int refusal_status_ = 400;
  std::string refusal_;
  bool closing_ = false;
};

class ServerImpl : public HttpServer {
 public:
  ServerImpl(const HttpLimits& limits, HttpCallbacks callbacks)
      : limits_(limits),
        callbacks_(std::move(callbacks)),
        acceptor_(io_),
        workers_(limits.max_threads, limits.max_queue),
        drain_(io_) {}

  Result<void> Bind(const std::string& host, uint16_t port);
  [[nodiscard]] uint16_t port() const override { return port_; }
  void Run(bool handle_signals) override;
  void Stop() override {
    asio::post(io_, [this] { BeginStop(); });
  }
  [[nodiscard]] Load load() const override {
    return {num_connections_.load(), workers_.running(), workers_.queued()};
  }

  const HttpLimits& limits() const { return limits_; }
  const HttpCallbacks& callbacks() const { return callbacks_; }
  Workers& workers() { return workers_; }
  asio::io_context& io() { return io_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  void Add(const std::shared_ptr<Connection>& connection) {
    connections_.push_back(connection);
    num_connections_ = connections_.size();
  }
  void Remove(const Connection* connection) {
    connections_.remove_if([&](const auto& other) { return other.get() == connection; });
    num_connections_ = connections_.size();
    if (stopping_ && connections_.empty()) drain_.cancel();
  }
  /// The longest silent one is last used first.
  void Touch(const Connection* connection) {
    const auto at = std::ranges::find_if(
        connections_, [&](const auto& other) { return other.get() == connection; });
    if (at != connections_.end()) connections_.splice(connections_.end(), connections_, at);
  }

 private:
  Task<void> Accept();
  Task<void> WaitForSignals();
  Task<void> Drain();
  void BeginStop();
  void MakeRoom();

  const HttpLimits limits_;
  const HttpCallbacks callbacks_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  uint16_t port_ = 0;
  std::list<std::shared_ptr<Connection>> connections_;  // by the time of their last request
  std::atomic<size_t> num_connections_ = 0;
  Workers workers_;
  asio::steady_timer drain_;
  bool stopping_ = false;
};

// --- Connection ---------------------------------------------------------------------------------

Connection::Connection(ServerImpl& server, tcp::socket socket)
    : server_(server), stream_(std::move(socket)), wake_(server.io()) {
  error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
}

void Connection::Close() {
  if (exchange_ != nullptr) exchange_->Abandon();
  error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.socket().close(ignored);
  wake_.cancel();
}

void Connection::WindDown(bool cancel) {
  closing_ = true;
  if (exchange_ == nullptr) {
    Close();
  } else if (cancel) {
    exchange_->Cancel();
  }
}

Task<Connection::Read> Connection::ReadHeader(Parser& parser) {
  SetTimer(server_.limits().idle_time);
  if (buffer_.size() == 0) {  // the deadline of a header begins with its first byte
    const auto [error, size] =
        co_await stream_.async_read_some(buffer_.prepare(4096), kReturnError);
    if (error) co_return Read::kEnd;
    buffer_.commit(size);
  }
  SetTimer(server_.limits().header_time);
  const auto [error, size] =
      co_await http::async_read_header(stream_, buffer_, parser, kReturnError);
  if (!error) co_return Read::kRequest;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    const bool in_first_line = parser.get().target().empty();
    co_return in_first_line ? RefuseWith(414, "the request line is too long")
                            : RefuseWith(431, "the header is too large");
  }
  if (error == http::error::body_limit) co_return RefuseWith(413, "the body is too large");
  if (error.category() == http::make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    co_return RefuseWith(400, "not a valid HTTP request: " + error.message());
  }
  co_return Read::kEnd;
}

Task<Connection::Read> Connection::ReadBody(Parser& parser) {
  if (http::token_list(parser.get()[http::field::expect]).exists("100-continue") ||
      beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    const std::string proceed = "HTTP/1.1 100 Continue\r\n\r\n";
    SetTimer(server_.limits().write_time);
    const auto [error, size] =
        co_await asio::async_write(stream_, asio::buffer(proceed), kReturnError);
    if (error) co_return Read::kEnd;
  }
  SetTimer(server_.limits().body_time);
  const auto [error, size] = co_await http::async_read(stream_, buffer_, parser, kReturnError);
  if (!error) co_return Read::kRequest;
  if (error == http::error::body_limit) {
    co_return RefuseWith(
        413, "the body is larger than " + std::to_string(server_.limits().body_bytes) + " bytes");
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() != http::make_error_code(http::error::bad_method).category()) {
    co_return Read::kEnd;
  }
  co_return RefuseWith(400, "not a valid HTTP body: " + error.message());
}

Task<Connection::Read> Connection::ReadRequest(Parser& parser, Request& request) {
  parser.header_limit(static_cast<uint32_t>(server_.limits().header_bytes));
  parser.body_limit(server_.limits().body_bytes);
  if (const Read read = co_await ReadHeader(parser); read != Read::kRequest) co_return read;
  const auto& message = parser.get();
  const std::string target(message.target());
  request.method = std::string(message.method_string());
  request.path = target.substr(0, target.find('?'));  // until it is decoded
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    auto& value = request.headers[name];
    if (name == "host" && !value.empty()) co_return RefuseWith(400, "more than one Host");
    value = std::string(field.value());
  }
  if (message.version() != 10 && message.version() != 11) {
    co_return RefuseWith(505, "only HTTP/1.1 and HTTP/1.0 are spoken");
  }
  if (message.version() == 11 && !request.headers.contains("host")) {
    co_return RefuseWith(400, "the Host header is missing");
  }
  if (const auto decoded = DecodeTarget(target, request.path, request.query); !decoded) {
    co_return RefuseWith(400, decoded.error().message);
  }
  if (!request.Header("content-encoding").empty()) {
    co_return RefuseWith(415, "compressed bodies are not taken");
  }
  if (const Read read = co_await ReadBody(parser); read != Read::kRequest) co_return read;
  request.body = std::move(parser.get().body());
  co_return Read::kRequest;
}

Task<void> Connection::Serve() {
  const auto self = shared_from_this();
  while (!closing_) {
    Parser parser;
    Request request;
    request.id = RandomId();
    const Read read = co_await ReadRequest(parser, request);
    if (read == Read::kRefuse) co_await Refuse(request, refusal_status_, refusal_);
    if (read != Read::kRequest) break;
    server_.Touch(this);
    const bool keep_alive = parser.get().keep_alive() && !server_.stopping();
    if (!co_await Answer(std::move(request), keep_alive, parser.get().version())) break;
  }
  Close();
  server_.Remove(this);
}

/// The rest of what the client sends is not read, so that it may not see this: a short while is
/// given to it.
Task<void> Connection::Refuse(const Request& request, int status, std::string message) {
  Access access{request, status, 0, 0, false};
  Response response = server_.callbacks().error(request, status, message);
  const bool sent =
      co_await WriteWhole(std::move(response), false, 11, request.method == "HEAD", access);
  server_.callbacks().done(access);
  if (!sent) co_return;
  error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream_.expires_after(std::chrono::milliseconds(500));
  std::array<char, 16384> scrap;
  for (size_t total = 0; total < size_t{4} << 20;) {
    const auto [error, size] = co_await stream_.async_read_some(asio::buffer(scrap), kReturnError);
    if (error) co_return;
    total += size;
  }
}

Task<bool> Connection::Answer(Request incoming, bool keep_alive, unsigned version) {
  const auto started = Clock::now();
  auto request = std::make_shared<Request>(std::move(incoming));
  const auto self = shared_from_this();
  exchange_ = std::make_shared<Exchange>(
      [self, &io = server_.io()] { asio::post(io, [self] { self->wake_.cancel(); }); });
  const auto exchange = exchange_;
  Access access{*request, 0, 0, 0, false};
  if (!server_.callbacks().admit(*request, *exchange)) {
    const bool taken = server_.workers().Submit([this, self, exchange, request] {
      try {
        server_.callbacks().handle(*request, *exchange);
      } catch (...) {
        if (!exchange->begun()) {
          exchange->Send(server_.callbacks().error(*request, 500, "internal error"));
        }
      }
      if (!exchange->begun()) {
        exchange->Send(server_.callbacks().error(*request, 500, "internal error"));
      }
      exchange->End();
    });
    if (taken) {
      asio::co_spawn(server_.io(), WatchForHangUp(exchange), asio::detached);
    } else {
      Response busy =
          server_.callbacks().error(*request, 503, "the server is busy; try again soon");
      busy.headers.emplace_back("Retry-After", "1");
      exchange->Send(std::move(busy));
    }
  }
  const bool sent = co_await Transmit(*exchange, keep_alive, version, access);
  if (!sent) exchange->Abandon();
  exchange_ = nullptr;
  access.client_gone = !sent;
  access.ms = MillisecondsSince(started);
  server_.callbacks().done(access);
  co_return sent&& keep_alive&& version == 11 && !closing_;
}

/// Sends what the handler writes, as it writes it.
Task<bool> Connection::Transmit(Exchange& exchange, bool keep_alive, unsigned version,
                                Access& access) {
  const bool head_only = access.request.method == "HEAD";
  while (true) {
    Exchange::Next next = exchange.Take();
    switch (next.kind) {
      case Exchange::Next::Kind::kWhole:
        co_return co_await WriteWhole(std::move(next.response), keep_alive && !closing_, version,
                                      head_only, access);
      case Exchange::Next::Kind::kHead:
        access.status = next.response.status;
        if (!co_await WriteHead(next.response, keep_alive && !closing_, version)) co_return false;
        if (head_only) co_return false;  // nobody waits for what the handler goes on to write
        break;
      case Exchange::Next::Kind::kPiece:
        access.body_bytes += next.piece.size();
        if (!co_await WritePiece(next.piece, version)) co_return false;
        break;
      case Exchange::Next::Kind::kEnd:
        if (version == 11 && !co_await WritePiece("", version)) co_return false;
        co_return true;
      case Exchange::Next::Kind::kNothing: {
        if (!stream_.socket().is_open()) co_return false;
        wake_.expires_after(server_.limits().heartbeat);
        const auto [woken] = co_await wake_.async_wait(kReturnError);
        const std::string heartbeat = woken ? "" : exchange.heartbeat();
        if (!stream_.socket().is_open()) co_return false;
        if (!heartbeat.empty() && !co_await WritePiece(heartbeat, version)) co_return false;
      }
    }
  }
}

Task<bool> Connection::WriteWhole(Response response, bool keep_alive, unsigned version,
                                  bool head_only, Access& access) {
  access.status = response.status;
  access.body_bytes = response.body.size();
  http::response<http::string_body> message(static_cast<http::status>(response.status), version);
  message.keep_alive(keep_alive);
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  if (!response.content_type.empty()) {
    message.set(http::field::content_type, response.content_type);
  }
  const size_t length = response.body.size();
  if (!head_only) message.body() = std::move(response.body);
  if (response.status != 204 && response.status != 304) message.content_length(length);
  SetTimer(server_.limits().write_time);
  http::response_serializer<http::string_body> serializer(message);
  if (head_only) {
    const auto [error, size] = co_await http::async_write_header(stream_, serializer, kReturnError);
    co_return !error;
  }
  const auto [error, size] = co_await http::async_write(stream_, serializer, kReturnError);
  co_return !error;
}

Task<bool> Connection::WriteHead(const Response& head, bool keep_alive, unsigned version) {
  http::response<http::empty_body> message(static_cast<http::status>(head.status), version);
  message.keep_alive(keep_alive && version == 11);
  message.chunked(version == 11);
  message.set(http::field::content_type, head.content_type);
  for (const auto& [name, value] : head.headers) message.insert(name, value);
  http::response_serializer<http::empty_body> serializer(message);
  SetTimer(server_.limits().write_time);
  const auto [error, size] = co_await http::async_write_header(stream_, serializer, kReturnError);
  co_return !error;
}

/// Empty: the end, which HTTP/1.0 knows by the connection's.
Task<bool> Connection::WritePiece(const std::string& piece, unsigned version) {
  SetTimer(server_.limits().write_time);
  error_code error;
  size_t size = 0;
  if (version != 11) {
    std::tie(error, size) = co_await asio::async_write(stream_, asio::buffer(piece), kReturnError);
  } else if (piece.empty()) {
    std::tie(error, size) =
        co_await asio::async_write(stream_, http::make_chunk_last(), kReturnError);
  } else {
    std::tie(error, size) =
        co_await asio::async_write(stream_, http::make_chunk(asio::buffer(piece)), kReturnError);
  }
  co_return !error;
}

/// A client that hangs up while a handler works for it frees the handler at once. One that sends
/// its next request early is still there.
Task<void> Connection::WatchForHangUp(std::shared_ptr<Exchange> exchange) {
  const auto self = shared_from_this();
  if (buffer_.size() > 0) co_return;
  const auto [error] = co_await stream_.socket().async_wait(tcp::socket::wait_read, kReturnError);
  if (error || exchange_ != exchange) co_return;
  char byte = 0;
  const ssize_t seen = recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen > 0) co_return;
  Close();
}

// --- Server -------------------------------------------------------------------------------------

Result<void> ServerImpl::Bind(const std::string& host, uint16_t port) {
  error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) {
    return Fail(ErrorCode::kInvalidArgument,
                "host: got '" + utf8::Escape(host) + "', expected an IP address of this machine");
  }
  const std::string where = host + ":" + std::to_string(port);
  const auto fail = [&] {
    return Fail(ErrorCode::kIo,
                where + ": " +
                    (error == asio::error::address_in_use ? "address in use (another port: --port)"
                                                          : error.message()));
  };
  const tcp::endpoint endpoint(address, port);
  acceptor_.open(endpoint.protocol(), error);
  if (error) return fail();
  acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  acceptor_.bind(endpoint, error);
  if (error) return fail();
  acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail();
  port_ = acceptor_.local_endpoint().port();
  return {};
}

void ServerImpl::MakeRoom() {
  for (const auto& connection : connections_) {
    if (connection->busy()) continue;
    connection->Close();  // its coroutine removes it
    return;
  }
}

Task<void> ServerImpl::Accept() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(kReturnError);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // out of descriptors, most likely: they come back
      MakeRoom();
      asio::steady_timer pause(io_, std::chrono::milliseconds(50));
      co_await pause.async_wait(kReturnError);
      continue;
    }
    if (connections_.size() >= limits_.max_connections) MakeRoom();
    const auto connection = std::make_shared<Connection>(*this, std::move(socket));
    Add(connection);
    asio::co_spawn(io_, connection->Serve(), asio::detached);
  }
}

Task<void> ServerImpl::WaitForSignals() {
  asio::signal_set signals(io_, SIGINT, SIGTERM);
  const auto [error, signal] = co_await signals.async_wait(kReturnError);
  if (error) co_return;
  BeginStop();
  const auto [again, second] = co_await signals.async_wait(kReturnError);
  if (!again) _exit(128 + second);
}

void ServerImpl::BeginStop() {
  if (stopping_) return;
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  asio::co_spawn(io_, Drain(), asio::detached);
}

Task<void> ServerImpl::Drain() {
  const auto wind_down = [this](bool cancel) {
    const auto copy = connections_;  // closing one may change the list
    for (const auto& connection : copy) connection->WindDown(cancel);
  };
  wind_down(false);
  drain_.expires_after(limits_.drain_time);
  if (!connections_.empty()) co_await drain_.async_wait(kReturnError);
  wind_down(true);
  drain_.expires_after(std::chrono::seconds(2));  // to say that they were ended
  if (!connections_.empty()) co_await drain_.async_wait(kReturnError);
  io_.stop();
}

void ServerImpl::Run(bool handle_signals) {
  asio::co_spawn(io_, Accept(), asio::detached);
  if (handle_signals) asio::co_spawn(io_, WaitForSignals(), asio::detached);
  io_.run();
  for (const auto& connection : connections_) connection->Close();
  workers_.Join();
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(const std::string& host, uint16_t port,
                                                       const HttpLimits& limits,
                                                       HttpCallbacks callbacks) {
  auto server = std::make_unique<ServerImpl>(limits, std::move(callbacks));
  VADE_CHECK_OK(server->Bind(host, port));
  return server;
}

}  // namespace vade::qa::server
