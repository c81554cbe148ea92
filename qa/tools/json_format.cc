#include "qa/tools/json_format.h"

#include "engine/base/utf8.h"
#include "qa/answer/json_format.h"

namespace vade::qa {

using nlohmann::json;

json ToJson(const ToolAnswer& answer) {
  ModelAnswer same;  // all that the two have in common
  same.refused = answer.refused;
  same.language = answer.language;
  same.sentences = answer.sentences;
  same.citations = answer.citations;
  same.search.passages = answer.shown;
  same.generation = answer.run.reply;
  same.warnings = answer.warnings;
  json out = ToJson(same);
  out["answer"] = utf8::Repair(answer.Text());
  out["grounded"] = answer.is_grounded;
  out["prompt_tokens"] = answer.run.prompt_tokens;
  out["completion_tokens"] = answer.run.completion_tokens;
  out["tools"] = json::array();
  for (const ToolTrace& trace : answer.run.trace) {
    out["tools"].push_back({{"step", trace.step},
                            {"name", trace.name},
                            {"arguments", trace.arguments},
                            {"outcome", OutcomeName(trace.outcome)},
                            {"result", trace.result},
                            {"cut", trace.is_cut},
                            {"ms", trace.ms}});
  }
  return out;
}

}  // namespace vade::qa
