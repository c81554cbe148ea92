// The units that are known, in SI base units of their quantity.
#pragma once

#include <span>
#include <string_view>

namespace vade::qa {

enum class Quantity {
  kLength,
  kMass,
  kTemperature,
  kVolume,
  kPressure,
  kEnergy,
  kPower,
  kSpeed,
  kArea,
  kTime,
  kData,
  kAngle,
  kTorque,
  kFlow,
  kForce,
  kFrequency,
  kVoltage,
  kCurrent,
  kResistance,
};

[[nodiscard]] std::string_view QuantityName(Quantity quantity);

/// x of this unit is x * factor + offset of the SI unit.
struct Unit {
  std::string_view symbol;
  std::string_view names;  // others it is known by, separated by '|'
  Quantity quantity;
  double factor;
  double offset = 0;
  bool takes_prefix = false;  // SI prefixes: k, milli, ...
};

[[nodiscard]] std::span<const Unit> AllUnits();

}  // namespace vade::qa
