// pugixml does not expand entities or load anything; what is left to refuse is refused here.
#include "ingest/ooxml.h"

#include <charconv>

namespace vade::ingest::ooxml {
namespace {

// Counts while pugixml walks: it does so without recursion.
class DepthCheck : public pugi::xml_tree_walker {
 public:
  bool for_each(pugi::xml_node& node) override {
    has_doctype |= node.type() == pugi::node_doctype;
    return depth() < kMaxDepth && !has_doctype;
  }
  bool has_doctype = false;
};

// "../media/x" below "word/" -> "media/x"; "/word/styles.xml" -> "word/styles.xml".
std::string ResolveTarget(std::string_view part, std::string_view target) {
  if (target.starts_with('/')) return std::string(target.substr(1));
  const size_t slash = part.rfind('/');
  std::string folder(slash == std::string_view::npos ? "" : part.substr(0, slash + 1));
  while (target.starts_with("../")) {
    target.remove_prefix(3);
    if (folder.empty()) return {};
    const size_t parent =
        folder.size() < 2 ? std::string::npos : folder.rfind('/', folder.size() - 2);
    folder.resize(parent == std::string::npos ? 0 : parent + 1);
  }
  return folder + std::string(target);
}

}  // namespace

std::string_view LocalName(const char* qualified) {
  const std::string_view name(qualified);
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node Child(pugi::xml_node parent, std::string_view local_name) {
  for (const pugi::xml_node child : parent.children()) {
    if (LocalName(child.name()) == local_name) return child;
  }
  return {};
}

std::string_view Attribute(pugi::xml_node node, std::string_view local_name) {
  for (const pugi::xml_attribute attribute : node.attributes()) {
    if (LocalName(attribute.name()) == local_name) return attribute.value();
  }
  return {};
}

std::string_view ChildValue(pugi::xml_node parent, std::string_view local_name) {
  return Attribute(Child(parent, local_name), "val");
}

bool IsOn(pugi::xml_node parent, std::string_view local_name) {
  const pugi::xml_node node = Child(parent, local_name);
  if (!node) return false;
  const std::string_view value = Attribute(node, "val");
  return value != "0" && value != "false" && value != "off";
}

int Number(std::string_view text, int low, int high, int fallback) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return fallback;
  return value < low || value > high ? fallback : value;
}

Result<std::unique_ptr<pugi::xml_document>> ParseXml(const std::string& xml,
                                                     const std::string& name) {
  auto document = std::make_unique<pugi::xml_document>();
  // A run of one space must survive: <w:t xml:space="preserve"> </w:t>.
  constexpr unsigned kOptions =
      pugi::parse_default | pugi::parse_doctype | pugi::parse_ws_pcdata_single;
  const pugi::xml_parse_result parsed = document->load_buffer(xml.data(), xml.size(), kOptions);
  if (parsed.status == pugi::status_out_of_memory) {
    return Fail(ErrorCode::kResource, name + ": out of memory");
  }
  if (!parsed) {
    return Fail(ErrorCode::kCorruptData,
                name + ": " + parsed.description() + " at byte " + std::to_string(parsed.offset));
  }
  DepthCheck check;
  if (!document->traverse(check)) {
    return Fail(ErrorCode::kCorruptData,
                check.has_doctype
                    ? name + ": DTD refused"
                    : name + ": nested deeper than " + std::to_string(kMaxDepth) + " elements");
  }
  return document;
}

Result<Relations> ReadRelations(ZipArchive& archive, const std::string& part) {
  const size_t slash = part.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : part.substr(0, slash + 1);
  const std::string name = folder + "_rels/" + part.substr(folder.size()) + ".rels";
  Relations relations;
  if (!archive.Contains(name)) return relations;
  VADE_TRY(const std::string xml, archive.Read(name));
  VADE_TRY(const auto document, ParseXml(xml, name));
  for (const pugi::xml_node relation : document->document_element().children()) {
    if (Attribute(relation, "TargetMode") == "External") continue;
    const std::string_view type = Attribute(relation, "Type");
    std::string target = ResolveTarget(part, Attribute(relation, "Target"));
    if (target.empty()) continue;
    relations.emplace(type.substr(type.rfind('/') + 1), std::move(target));
  }
  return relations;
}

}  // namespace vade::ingest::ooxml
