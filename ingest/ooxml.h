// An Office Open XML package: parts, relations and hardened XML parsing.
#pragma once

#include <map>
#include <memory>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "ingest/zip_archive.h"

namespace vade::ingest::ooxml {

/// The name without its namespace prefix; producers are free to choose prefixes.
[[nodiscard]] std::string_view LocalName(const char* qualified);

/// First child element of that local name, or a null node.
[[nodiscard]] pugi::xml_node Child(pugi::xml_node parent, std::string_view local_name);

/// Value of the attribute of that local name, or "".
[[nodiscard]] std::string_view Attribute(pugi::xml_node node, std::string_view local_name);

/// The "val" of a child element: <w:pStyle w:val="X"/> -> "X"; "" when there is none.
[[nodiscard]] std::string_view ChildValue(pugi::xml_node parent, std::string_view local_name);

/// An on/off property: present and not "0", "false" or "off".
[[nodiscard]] bool IsOn(pugi::xml_node parent, std::string_view local_name);

/// A decimal number within [low, high], or `fallback`.
[[nodiscard]] int Number(std::string_view text, int low, int high, int fallback);

/// Parses XML from a stranger. Refuses DTDs, thus all entities; refuses elements nested deeper than
/// kMaxDepth, so that recursive readers are safe.
[[nodiscard]] Result<std::unique_ptr<pugi::xml_document>> ParseXml(const std::string& xml,
                                                                   const std::string& name);
inline constexpr int kMaxDepth = 512;

/// Relation type (last path component: "styles", "footnotes") -> part name. External targets are
/// left out.
using Relations = std::map<std::string, std::string, std::less<>>;

/// The relations of `part` ("" for the package). A part without relations has none; broken ones are
/// an error.
[[nodiscard]] Result<Relations> ReadRelations(ZipArchive& archive, const std::string& part);

}  // namespace vade::ingest::ooxml
