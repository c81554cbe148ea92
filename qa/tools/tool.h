// Tool: something that a language model may ask to have done, and the box of those it is offered.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/language_model.h"

namespace vade::qa {

/// Does the work. The arguments are an object that the tool's schema accepts. What it gives is for
/// the model to read: text of strangers in it is data. Its errors are told to the model too.
using RunTool =
    std::function<Result<std::string>(const nlohmann::json& arguments, const CancelToken* cancel)>;

struct Tool {
  engine::ToolSpec spec;
  bool leaves_machine = false;  // its arguments are sent to another host: needs a permission
  RunTool run;
};

/// Few enough to be searched in order.
class ToolBox {
 public:
  void Add(Tool tool) { tools_.push_back(std::move(tool)); }
  /// nullptr when there is none of that name.
  [[nodiscard]] const Tool* Find(std::string_view name) const;
  [[nodiscard]] const std::vector<Tool>& tools() const { return tools_; }
  [[nodiscard]] std::string Names() const;  // "calculator, clock"

 private:
  std::vector<Tool> tools_;
};

}  // namespace vade::qa
