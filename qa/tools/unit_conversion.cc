#include "qa/tools/unit_conversion.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/utf8.h"
#include "qa/tools/unit_table.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr size_t kMaxUnitBytes = 48;
constexpr int kShownDigits = 12;

struct Prefix {
  std::string_view symbol;
  std::string_view name;
  double factor;
};

constexpr Prefix kPrefixes[] = {
    {"Q", "quetta", 1e30}, {"R", "ronna", 1e27}, {"Y", "yotta", 1e24},  {"Z", "zetta", 1e21},
    {"E", "exa", 1e18},    {"P", "peta", 1e15},  {"T", "tera", 1e12},   {"G", "giga", 1e9},
    {"M", "mega", 1e6},    {"k", "kilo", 1e3},   {"h", "hecto", 1e2},   {"da", "deca", 1e1},
    {"d", "deci", 1e-1},   {"c", "centi", 1e-2}, {"m", "milli", 1e-3},  {"µ", "micro", 1e-6},
    {"μ", "micro", 1e-6},  {"u", "micro", 1e-6}, {"n", "nano", 1e-9},   {"p", "pico", 1e-12},
    {"f", "femto", 1e-15}, {"a", "atto", 1e-18}, {"z", "zepto", 1e-21}, {"y", "yocto", 1e-24},
};

/// A unit, perhaps with a prefix.
struct Found {
  const Unit* unit = nullptr;
  double prefix = 1;
  std::string shown;
};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

/// The symbol and the names of a unit.
std::vector<std::string_view> Spellings(const Unit& unit) {
  std::vector<std::string_view> out = {unit.symbol};
  for (std::string_view rest = unit.names; !rest.empty();) {
    const size_t bar = std::min(rest.find('|'), rest.size());
    out.push_back(rest.substr(0, bar));
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  return out;
}

/// All units that `wanted` can be, spelled through `fold`.
template <typename Fold>
std::vector<Found> Matches(const std::string& wanted, const Fold& fold) {
  std::vector<Found> found;
  const auto add = [&](const Unit& unit, double prefix, std::string shown) {
    const bool known = std::ranges::any_of(found, [&](const Found& other) {
      return other.unit->quantity == unit.quantity &&
             other.unit->factor * other.prefix == unit.factor * prefix &&
             other.unit->offset == unit.offset;
    });
    if (!known) found.push_back({&unit, prefix, std::move(shown)});
  };
  const std::string key = fold(wanted);
  for (const Unit& unit : AllUnits()) {
    for (const std::string_view spelling : Spellings(unit)) {
      if (fold(spelling) == key) add(unit, 1, std::string(spelling));
    }
  }
  if (!found.empty()) return found;  // "min" is a minute and no milli-inch
  for (const Unit& unit : AllUnits()) {
    if (!unit.takes_prefix) continue;
    for (const std::string_view spelling : Spellings(unit)) {
      for (const Prefix& prefix : kPrefixes) {
        for (const std::string_view begin : {prefix.symbol, prefix.name}) {
          const std::string whole = std::string(begin) + std::string(spelling);
          if (fold(whole) == key) add(unit, prefix.factor, whole);
        }
      }
    }
  }
  return found;
}

Result<Found> FindUnit(std::string_view name) {
  const std::string wanted = Trim(name);
  const std::string shown = utf8::Escape(wanted.substr(0, kMaxUnitBytes));
  const auto unknown = [&] {
    return Fail(ErrorCode::kInvalidArgument,
                "unit '" + shown + "' is not known (write a symbol like kPa, L/min, ft-lb, °F)");
  };
  if (wanted.empty() || wanted.size() > kMaxUnitBytes) return unknown();
  const auto same = [](std::string_view text) { return std::string(text); };
  std::vector<Found> found = Matches(wanted, same);
  if (found.empty()) found = Matches(wanted, Lower);
  if (found.empty()) return unknown();
  if (found.size() == 1) return found.front();
  std::string list;
  for (const Found& each : found) {
    list += (list.empty() ? "" : ", ") + each.shown + " (" +
            std::string(QuantityName(each.unit->quantity)) + ")";
  }
  return Fail(ErrorCode::kInvalidArgument, "unit '" + shown + "' could be " + list);
}

std::string ShowNumber(double value) {
  std::array<char, 64> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value == 0 ? 0 : value,
                    std::chars_format::general, kShownDigits);
  return error == std::errc() ? std::string(text.data(), end) : "";
}

std::string Article(std::string_view noun) {
  const bool vowel = std::string_view("aeiou").find(noun.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + std::string(noun);
}

}  // namespace

Result<double> ConvertUnits(double value, std::string_view from, std::string_view to) {
  VADE_TRY(const Found source, FindUnit(from));
  VADE_TRY(const Found target, FindUnit(to));
  const Quantity quantity = source.unit->quantity;
  if (quantity != target.unit->quantity) {
    return Fail(ErrorCode::kInvalidArgument,
                source.shown + " measures " + Article(QuantityName(quantity)) + ", " +
                    target.shown + " " + Article(QuantityName(target.unit->quantity)) +
                    ": there is no conversion");
  }
  const double base = value * source.prefix * source.unit->factor + source.unit->offset;
  if (quantity == Quantity::kTemperature && base < -1e-9) {
    return Fail(ErrorCode::kInvalidArgument,
                ShowNumber(value) + " " + source.shown + " is below absolute zero");
  }
  const double result = (base - target.unit->offset) / (target.prefix * target.unit->factor);
  if (!std::isfinite(result)) return Fail(ErrorCode::kInvalidArgument, "the result is too large");
  // What cancels out in a difference of temperatures is noise.
  const double noise = 1e-12 * std::max(std::abs(base), std::abs(target.unit->offset));
  return target.unit->offset != 0 && std::abs(result) < noise ? 0 : result;
}

Tool UnitTool() {
  const json unit = {{"type", "string"}, {"maxLength", kMaxUnitBytes}};
  Tool tool;
  tool.spec.name = "convert_units";
  tool.spec.description =
      "Converts a value between units of length, mass, temperature, volume, pressure, energy, "
      "power, "
      "speed, area, time, data, angle, torque, flow, force, frequency. SI prefixes are understood.";
  tool.spec.parameters = json{
      {"type", "object"},
      {"properties", {{"value", {{"type", "number"}}}, {"from", unit}, {"to", unit}}},
      {"required", {"value", "from", "to"}},
      {"additionalProperties",
       false}}.dump();
  tool.run = [](const json& arguments, const CancelToken*) -> Result<std::string> {
    const double value = arguments["value"];
    const std::string from = arguments["from"];
    const std::string to = arguments["to"];
    VADE_TRY(const double result, ConvertUnits(value, from, to));
    return ShowNumber(value) + " " + Trim(from) + " = " + ShowNumber(result) + " " + Trim(to);
  };
  return tool;
}

}  // namespace vade::qa
