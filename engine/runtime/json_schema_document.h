// A JSON Schema document: read within limits, checked, and its references and allOf resolved.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::runtime {

using Json = nlohmann::ordered_json;  // the order of properties is the order of the output

class SchemaDocument {
 public:
  static constexpr size_t kMaxBytes = size_t{512} << 10;
  static constexpr size_t kMaxValues = 10'000;  // objects keep their order by linear search
  static constexpr int kMaxDepth = 64;

  /// Errors: kInvalidArgument for broken JSON, kResource beyond the limits.
  [[nodiscard]] static Result<SchemaDocument> Parse(std::string_view text);

  [[nodiscard]] const Json& root() const noexcept { return root_; }

  /// What "#", "#/$defs/name" ... points to. Errors: kInvalidArgument, kUnsupported (remote).
  [[nodiscard]] Result<const Json*> Resolve(const std::string& reference,
                                            const std::string& where) const;

  /// The same schema without $ref, allOf, const and annotations at its top: an object, or false if
  /// nothing can match. Every keyword left is one we read, of the right shape. `where` is for
  /// messages. Errors: kResource also when all calls together copied more than kMaxWork values:
  /// references can make a small document mean an exponentially large one.
  [[nodiscard]] Result<Json> Flatten(const Json& schema, const std::string& where, int depth = 0);

 private:
  static constexpr size_t kMaxWork = 3'000'000;  // values copied, about a second

  Json root_;
  size_t work_ = 0;
};

/// True if the keyword only describes, or has a value that constrains nothing.
[[nodiscard]] bool HasNoEffect(const std::string& keyword, const Json& value);

/// "schema at #/properties/a: what".
[[nodiscard]] tl::unexpected<Error> SchemaError(const std::string& where, const std::string& what,
                                                ErrorCode code = ErrorCode::kInvalidArgument);

}  // namespace vade::runtime
