// Opening what commands need and turning errors into one line and an exit code.
#include "qa/cli/context.h"

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <string_view>

#include "engine/base/utf8.h"
#include "engine/remote/model_address.h"
#include "qa/cli/model_files.h"

namespace vade::qa {
namespace {

int Report(std::string_view message, int code) {
  std::fprintf(stderr, "vade: error: %.*s\n", static_cast<int>(message.size()), message.data());
  return code;
}

}  // namespace

int FailInput(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return Report(error.message, kUsage);
    case ErrorCode::kIo:
      return Report(error.message, kDiskError);
    case ErrorCode::kUnavailable:
      return Report(error.message, kNetworkError);
    case ErrorCode::kCancelled:
      return Report(error.message, kInterrupted);
    case ErrorCode::kInternal:
      return Report(error.message, kInternalError);
    case ErrorCode::kNotFound:
    case ErrorCode::kCorruptData:
    case ErrorCode::kUnsupported:
    case ErrorCode::kResource:
      return Report(error.message, kInputRejected);
  }
  return Report(error.message, kInternalError);
}

int FailStore(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return Report(error.message, kStoreError);
    case ErrorCode::kCorruptData:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnsupported:
    case ErrorCode::kNotFound:
      return Report(error.message, kStoreError);
    case ErrorCode::kIo:
    case ErrorCode::kResource:
      return Report(error.message, kDiskError);
    case ErrorCode::kCancelled:
      return Report("interrupted", kInterrupted);
    case ErrorCode::kInternal:
      return Report(error.message, kInternalError);
  }
  return Report(error.message, kInternalError);
}

int FailUsage(const std::string& message) { return Report(message, kUsage); }

std::unique_ptr<vectorstore::Store> OpenStore(const Context& context,
                                              const vectorstore::StoreOptions& options,
                                              int* exit_code) {
  const std::filesystem::path& path = context.global.store;
  if (path.empty()) {
    *exit_code = FailUsage("no store: HOME is not set; name one with --store or VADE_STORE");
    return nullptr;
  }
  auto store = vectorstore::Store::Open(path, options);
  if (store) return std::move(*store);
  if (store.error().code == ErrorCode::kNotFound) {
    *exit_code = Report("no store at " + utf8::Escape(path.native()) +
                            ": index a folder first with 'vade index FOLDER'",
                        kStoreError);
  } else {
    *exit_code = FailStore(store.error());
  }
  return nullptr;
}

std::unique_ptr<embed::Embedder> OpenEmbedder(const Context& context,
                                              const vectorstore::Store* store, int* exit_code) {
  const std::string& named = context.global.model.native();
  const std::filesystem::path model =
      remote::IsModelAddress(named) ? context.global.model : FindModel(context, named);
  auto embedder = embed::Embedder::Open({.model = model, .num_threads = context.global.threads});
  if (!embedder) {
    *exit_code = FailInput(embedder.error());
    return nullptr;
  }
  if (store == nullptr) return std::move(*embedder);
  const auto fingerprints = store->GetFingerprints();
  if (!fingerprints) {
    *exit_code = FailStore(fingerprints.error());
    return nullptr;
  }
  if (fingerprints->has_value() && (*fingerprints)->embedder != (*embedder)->fingerprint()) {
    *exit_code = Report("index built with " + (*fingerprints)->embedder + ", now " +
                            (*embedder)->fingerprint() +
                            ": re-index into another --store, or name the old model with "
                            "--embedder",
                        kStoreError);
    return nullptr;
  }
  return std::move(*embedder);
}

int Finish(int code) {
  std::cout.flush();
  if (std::cout.good() && std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  if (errno == EPIPE) return code;  // "vade ... | head": the reader has had enough
  return Report("standard output could not be written", kDiskError);
}

}  // namespace vade::qa
