#include "qa/tools/tool.h"

#include <algorithm>

namespace vade::qa {

const Tool* ToolBox::Find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(tools_, [&](const Tool& tool) { return tool.spec.name == name; });
  return found == tools_.end() ? nullptr : &*found;
}

std::string ToolBox::Names() const {
  std::string names;
  for (const Tool& tool : tools_) names += (names.empty() ? "" : ", ") + tool.spec.name;
  return names;
}

}  // namespace vade::qa
