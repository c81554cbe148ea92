#include "qa/server/service.h"

#include <utility>

#include "qa/server/errors.h"

namespace vade::qa::server {
namespace {

void SendResult(const Request& request, Reply& reply, Result<Response> response) {
  reply.Send(response ? *std::move(response) : ErrorResponse(request.path, response.error()));
}

}  // namespace

Handler Replying(Service& service, Work work) {
  return [&service, work](const Request& request, Reply& reply) {
    SendResult(request, reply, work(service, request));
  };
}

Handler Replying(Service& service, LongWork work) {
  return [&service, work](const Request& request, Reply& reply) {
    SendResult(request, reply, work(service, request, reply.cancel()));
  };
}

}  // namespace vade::qa::server
