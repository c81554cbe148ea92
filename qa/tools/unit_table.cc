// Factors are the defined ones (NIST SP 811, appendix B): an inch is 0.0254 m, a pound 0.45359237
// kg, a standard gravity 9.80665 m/s2. Gallons, pints and ounces of volume are the US ones unless
// marked imperial; a calorie is the thermochemical one, a BTU the International Table one.
#include "qa/tools/unit_table.h"

#include <array>
#include <numbers>

namespace vade::qa {
namespace {

constexpr double kPound = 0.45359237;
constexpr double kGravity = 9.80665;
constexpr double kInch = 0.0254;
constexpr double kFoot = 0.3048;
constexpr double kMile = 1609.344;
constexpr double kGallon = 3.785411784e-3;
constexpr double kImperialGallon = 4.54609e-3;
constexpr double kHour = 3600;
constexpr double kBtu = 1055.05585262;
constexpr double kPi = std::numbers::pi;

using enum Quantity;

constexpr Unit kUnits[] = {
    {"m", "meter|metre|meters|metres", kLength, 1, 0, true},
    {"in", "inch|inches|\"|″", kLength, kInch},
    {"ft", "foot|feet|'|′", kLength, kFoot},
    {"yd", "yard|yards", kLength, 3 * kFoot},
    {"mi", "mile|miles", kLength, kMile},
    {"nmi", "nautical mile|nautical miles|NM", kLength, 1852},
    {"mil", "thou|mils", kLength, kInch / 1000},
    {"Å", "angstrom|angstroms|ångström", kLength, 1e-10},
    {"ly", "light year|light years|light-year", kLength, 9460730472580800.0},
    {"au", "astronomical unit|astronomical units", kLength, 149597870700.0},

    {"g", "gram|grams|gramme", kMass, 1e-3, 0, true},
    {"t", "tonne|tonnes|metric ton|metric tons", kMass, 1000, 0, true},
    {"lb", "pound|pounds|lbs", kMass, kPound},
    {"oz", "ounce|ounces", kMass, kPound / 16},
    {"st", "stone|stones", kMass, kPound * 14},
    {"short ton", "short tons|US ton|US tons", kMass, kPound * 2000},
    {"long ton", "long tons|imperial ton", kMass, kPound * 2240},
    {"gr", "grain|grains", kMass, kPound / 7000},
    {"ct", "carat|carats", kMass, 2e-4},

    {"K", "kelvin|kelvins", kTemperature, 1, 0, true},
    {"°C", "C|celsius|degC|degree celsius|degrees celsius|℃", kTemperature, 1, 273.15},
    {"°F", "F|fahrenheit|degF|degree fahrenheit|degrees fahrenheit|℉", kTemperature, 5.0 / 9,
     459.67 * 5 / 9},
    {"°R", "rankine|degR", kTemperature, 5.0 / 9},

    {"m3", "m³|m^3|cubic meter|cubic meters|cubic metre|cubic metres", kVolume, 1},
    {"dm3", "dm³|dm^3|cubic decimeter", kVolume, 1e-3},
    {"cm3", "cm³|cm^3|cc|ccm|cubic centimeter|cubic centimeters|cubic centimetre", kVolume, 1e-6},
    {"mm3", "mm³|mm^3|cubic millimeter|cubic millimeters", kVolume, 1e-9},
    {"L", "l|liter|litre|liters|litres", kVolume, 1e-3, 0, true},
    {"gal", "gallon|gallons|US gallon|US gallons|US gal", kVolume, kGallon},
    {"qt", "quart|quarts", kVolume, kGallon / 4},
    {"pt", "pint|pints", kVolume, kGallon / 8},
    {"cup", "cups", kVolume, kGallon / 16},
    {"fl oz", "floz|fluid ounce|fluid ounces", kVolume, kGallon / 128},
    {"tbsp", "tablespoon|tablespoons", kVolume, kGallon / 256},
    {"tsp", "teaspoon|teaspoons", kVolume, kGallon / 768},
    {"imp gal", "imperial gallon|imperial gallons|UK gallon|UK gal", kVolume, kImperialGallon},
    {"imp pt", "imperial pint|imperial pints|UK pint", kVolume, kImperialGallon / 8},
    {"ft3", "ft³|ft^3|cu ft|cubic foot|cubic feet", kVolume, kFoot* kFoot* kFoot},
    {"in3", "in³|in^3|cu in|cubic inch|cubic inches", kVolume, kInch* kInch* kInch},
    {"yd3", "yd³|yd^3|cubic yard|cubic yards", kVolume, 27 * kFoot* kFoot* kFoot},
    {"bbl", "barrel|barrels|oil barrel", kVolume, 42 * kGallon},

    {"Pa", "pascal|pascals|N/m2|N/m²", kPressure, 1, 0, true},
    {"bar", "bars", kPressure, 1e5, 0, true},
    {"psi", "lbf/in2|pounds per square inch|pound per square inch", kPressure,
     kPound* kGravity / (kInch * kInch)},
    {"ksi", "", kPressure, 1000 * kPound* kGravity / (kInch * kInch)},
    {"atm", "atmosphere|atmospheres", kPressure, 101325},
    {"at", "kgf/cm2|kgf/cm²|kg/cm2|technical atmosphere", kPressure, kGravity * 1e4},
    {"Torr", "torr", kPressure, 101325.0 / 760},
    {"mmHg", "millimeter of mercury|millimeters of mercury", kPressure, 133.322387415},
    {"inHg", "inch of mercury|inches of mercury", kPressure, 3386.388640341},
    {"mmH2O", "mmWC", kPressure, kGravity},
    {"mH2O", "mWC|meter of water|meters of water", kPressure, kGravity * 1000},
    {"inH2O", "inWC|inch of water|inches of water", kPressure, kGravity * 25.4},
    {"N/mm2", "N/mm²", kPressure, 1e6},

    {"J", "joule|joules|Ws", kEnergy, 1, 0, true},
    {"Wh", "watt hour|watt hours|watt-hour|W.h", kEnergy, kHour, 0, true},
    {"cal", "calorie|calories", kEnergy, 4.184, 0, true},
    {"BTU", "Btu|british thermal unit|british thermal units", kEnergy, kBtu},
    {"therm", "therms", kEnergy, kBtu * 1e5},
    {"eV", "electronvolt|electronvolts", kEnergy, 1.602176634e-19, 0, true},
    {"erg", "ergs", kEnergy, 1e-7},

    {"W", "watt|watts|J/s", kPower, 1, 0, true},
    {"VA", "volt-ampere|volt-amperes", kPower, 1, 0, true},
    {"hp", "horsepower|HP", kPower, 550 * kFoot* kPound* kGravity},
    {"PS", "metric horsepower|cv", kPower, 75 * kGravity},
    {"BTU/h", "Btu/h|BTU/hr|btu per hour", kPower, kBtu / kHour},
    {"kcal/h", "kilocalories per hour", kPower, 4184 / kHour},
    {"RT", "ton of refrigeration|tons of refrigeration|refrigeration ton", kPower,
     12000 * kBtu / kHour},

    {"m/s", "mps|meters per second|metres per second", kSpeed, 1},
    {"km/h", "kmh|kph|km/hr|kilometers per hour|kilometres per hour", kSpeed, 1 / 3.6},
    {"m/min", "meters per minute", kSpeed, 1.0 / 60},
    {"mm/s", "millimeters per second", kSpeed, 1e-3},
    {"mph", "mi/h|miles per hour", kSpeed, kMile / kHour},
    {"ft/s", "fps|feet per second", kSpeed, kFoot},
    {"ft/min", "fpm|feet per minute", kSpeed, kFoot / 60},
    {"kn", "knot|knots|kt|kts", kSpeed, 1852 / kHour},

    {"m2", "m²|m^2|sqm|square meter|square meters|square metre|square metres", kArea, 1},
    {"km2", "km²|km^2|square kilometer|square kilometers", kArea, 1e6},
    {"cm2", "cm²|cm^2|square centimeter|square centimeters", kArea, 1e-4},
    {"mm2", "mm²|mm^2|square millimeter|square millimeters", kArea, 1e-6},
    {"ha", "hectare|hectares", kArea, 1e4},
    {"a", "are|ares", kArea, 100},
    {"acre", "acres|ac", kArea, 4840 * 9 * kFoot* kFoot},
    {"ft2", "ft²|ft^2|sq ft|square foot|square feet", kArea, kFoot* kFoot},
    {"in2", "in²|in^2|sq in|square inch|square inches", kArea, kInch* kInch},
    {"yd2", "yd²|yd^2|square yard|square yards", kArea, 9 * kFoot* kFoot},
    {"mi2", "mi²|mi^2|sq mi|square mile|square miles", kArea, kMile* kMile},
    {"pyeong", "평|坪", kArea, 400.0 / 121},

    {"s", "sec|second|seconds", kTime, 1, 0, true},
    {"min", "minute|minutes", kTime, 60},
    {"h", "hr|hrs|hour|hours", kTime, kHour},
    {"d", "day|days", kTime, 86400},
    {"wk", "week|weeks", kTime, 604800},
    {"yr", "year|years|julian year", kTime, 31557600},

    {"B", "byte|bytes|octet", kData, 8, 0, true},
    {"bit", "bits|b", kData, 1, 0, true},
    {"KiB", "kibibyte|kibibytes", kData, 8.0 * 1024},
    {"MiB", "mebibyte|mebibytes", kData, 8.0 * 1024 * 1024},
    {"GiB", "gibibyte|gibibytes", kData, 8.0 * 1024 * 1024 * 1024},
    {"TiB", "tebibyte|tebibytes", kData, 8.0 * 1024 * 1024 * 1024 * 1024},
    {"Kibit", "kibibit|kibibits", kData, 1024},
    {"Mibit", "mebibit|mebibits", kData, 1024.0 * 1024},
    {"Gibit", "gibibit|gibibits", kData, 1024.0 * 1024 * 1024},

    {"rad", "radian|radians", kAngle, 1, 0, true},
    {"°", "deg|degree|degrees", kAngle, kPi / 180},
    {"gon", "grad|gradian|gradians", kAngle, kPi / 200},
    {"arcmin", "arcminute|arcminutes|minute of arc", kAngle, kPi / 10800},
    {"arcsec", "arcsecond|arcseconds|second of arc", kAngle, kPi / 648000},
    {"rev", "revolution|revolutions|turn|turns", kAngle, 2 * kPi},

    {"N.m", "N·m|Nm|N*m|newton meter|newton meters|newton metre|newton metres", kTorque, 1, 0,
     true},
    {"lbf.ft",
     "lbf·ft|lb-ft|lb.ft|ft-lb|ft.lb|ft-lbf|ftlb|lbft|pound-foot|pound-feet|foot-pound|"
     "foot-pounds|foot pounds",
     kTorque, kPound* kGravity* kFoot},
    {"lbf.in", "lbf·in|lb-in|lb.in|in-lb|in.lb|in-lbf|inch-pound|inch-pounds|inch pounds", kTorque,
     kPound* kGravity* kInch},
    {"ozf.in", "oz-in|oz.in|ounce-inch|ounce-inches", kTorque, kPound / 16 * kGravity* kInch},
    {"kgf.m", "kgf·m|kg-m|kgm|kilogram-force meter", kTorque, kGravity},
    {"kgf.cm", "kgf·cm|kg-cm|kg.cm|kgcm|kilogram-force centimeter", kTorque, kGravity / 100},

    {"m3/s", "m³/s|cubic meters per second", kFlow, 1},
    {"m3/h", "m³/h|m3/hr|cmh|cubic meters per hour", kFlow, 1 / kHour},
    {"m3/min", "m³/min|cmm|cubic meters per minute", kFlow, 1.0 / 60},
    {"L/s", "l/s|lps|liters per second|litres per second", kFlow, 1e-3},
    {"L/min", "l/min|lpm|liters per minute|litres per minute", kFlow, 1e-3 / 60},
    {"L/h", "l/h|L/hr|lph|liters per hour|litres per hour", kFlow, 1e-3 / kHour},
    {"mL/min", "ml/min|milliliters per minute", kFlow, 1e-6 / 60},
    {"mL/s", "ml/s|cm3/s|cc/s", kFlow, 1e-6},
    {"gpm", "gal/min|GPM|gallons per minute", kFlow, kGallon / 60},
    {"gph", "gal/h|gallons per hour", kFlow, kGallon / kHour},
    {"cfm", "ft3/min|ft³/min|CFM|cubic feet per minute", kFlow, kFoot* kFoot* kFoot / 60},
    {"cfs", "ft3/s|ft³/s|cubic feet per second", kFlow, kFoot* kFoot* kFoot},

    {"N", "newton|newtons", kForce, 1, 0, true},
    {"kgf", "kp|kilogram-force|kilopond", kForce, kGravity},
    {"lbf", "pound-force|pounds-force", kForce, kPound* kGravity},
    {"dyn", "dyne|dynes", kForce, 1e-5},

    {"Hz", "hertz|1/s", kFrequency, 1, 0, true},
    {"rpm", "r/min|rev/min|revolutions per minute|1/min", kFrequency, 1.0 / 60},
    {"V", "volt|volts", kVoltage, 1, 0, true},
    {"A", "amp|amps|ampere|amperes", kCurrent, 1, 0, true},
    {"Ω", "Ω|ohm|ohms", kResistance, 1, 0, true},
};

}  // namespace

std::string_view QuantityName(Quantity quantity) {
  constexpr std::array<std::string_view, 19> kNames = {
      "length", "mass",      "temperature", "volume",  "pressure",  "energy", "power",
      "speed",  "area",      "time",        "data",    "angle",     "torque", "flow rate",
      "force",  "frequency", "voltage",     "current", "resistance"};
  return kNames.at(static_cast<size_t>(quantity));
}

std::span<const Unit> AllUnits() { return kUnits; }

}  // namespace vade::qa
