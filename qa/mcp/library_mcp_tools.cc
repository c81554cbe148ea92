// What the clients of the protocol are told of the four tools.
#include "qa/mcp/library_mcp.h"

namespace vade::qa {
namespace {

using nlohmann::json;

json Object(json properties, json required, bool closed) {
  json out = {
      {"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
  if (closed) out["additionalProperties"] = false;
  return out;
}

json Text(const char* description) { return {{"type", "string"}, {"description", description}}; }
json Whole(const char* description) { return {{"type", "integer"}, {"description", description}}; }
json Listed(json items) { return {{"type", "array"}, {"items", std::move(items)}}; }
json OrNull(const char* type, const char* description) {
  return {{"type", json::array({type, "null"})}, {"description", description}};
}

/// What search and ask have in common.
json Question(const char* description, size_t k) {
  json question = Text(description);
  question["minLength"] = 1;
  question["maxLength"] = 4000;
  json names = Listed({{"type", "string"}});
  names["maxItems"] = 100;
  names["description"] = "only in these collections (see status); all without it";
  return {{"question", std::move(question)},
          {"k",
           {{"type", "integer"},
            {"minimum", 1},
            {"maximum", 50},
            {"default", k},
            {"description", "how many passages are read"}}},
          {"collections", std::move(names)}};
}

json Passage() {
  return Object({{"rank", Whole("1 is the best")},
                 {"document", Whole("number of the document")},
                 {"path", Text("of the file in its collection")},
                 {"title", Text("of the document")},
                 {"heading", Text("headings it stands under")},
                 {"page", OrNull("string", "label of its first page")},
                 {"address", Text("for the tool get")},
                 {"text", Text("the passage")},
                 {"score", {{"type", "number"}}}},
                json::array({"rank", "document", "path", "address", "text", "score"}), false);
}

json Citation() {
  return Object({{"number", Whole("the n of [n]")},
                 {"document", Whole("number of the document")},
                 {"path", Text("of the file in its collection")},
                 {"title", Text("of the document")},
                 {"heading", Text("headings it stands under")},
                 {"page", OrNull("string", "label of the page")},
                 {"quote", Text("the words that were checked against the page")},
                 {"match", {{"type", "string"}, {"enum", {"exact", "fuzzy", "absent"}}}}},
                json::array({"number", "document", "path", "quote", "match"}), false);
}

}  // namespace

std::vector<McpTool> LibraryMcpTools() {
  const json strings = Listed({{"type", "string"}});
  std::vector<McpTool> tools;
  json search = Question("what to look for, in any language of the documents", 10);
  search["mode"] = {{"type", "string"}, {"enum", {"hybrid", "lexical", "dense"}}};
  tools.push_back(
      {"search", "Search the library",
       "Finds the passages of the user's documents that fit a question best: file, page, "
       "heading and text of each. Use it to read for yourself; use ask for an answer.",
       Object(search, json::array({"question"}), true),
       Object({{"passages", Listed(Passage())}, {"warnings", strings}}, json::array({"passages"}),
              false)});
  const json sentence =
      Object({{"text", Text("one sentence or step")},
              {"support", Text("quoted, supported, or none: not in the documents")},
              {"citations", Listed({{"type", "integer"}})}},
             json::array({"text", "support", "citations"}), false);
  tools.push_back(
      {"ask", "Ask the library",
       "Answers a question from the user's documents, with citations that were checked "
       "against the pages. 'refused' means: not in these documents.",
       Object(Question("the question, complete in itself", 8), json::array({"question"}), true),
       Object({{"refused", {{"type", "boolean"}}},
               {"answer", Text("with [n] marks; empty when refused")},
               {"sentences", Listed(sentence)},
               {"citations", Listed(Citation())},
               {"nearest", Listed(Passage())},
               {"warnings", strings}},
              json::array({"refused", "answer", "citations"}), false)});
  tools.push_back(
      {"get", "Read a document", "The text of a document, of one of its pages or sections.",
       Object({{"address",
                Text("manual.pdf, manual.pdf:PAGE or manual.md#HEADING, as search gives it")},
               {"document", {{"type", "integer"}, {"description", "or the document's number"}}},
               {"page", Text("with document: label or number of a page")},
               {"offset",
                {{"type", "integer"},
                 {"minimum", 0},
                 {"description", "byte to go on at: next_offset of the call before"}}}},
              json::array(), true),
       Object({{"document", Whole("number of the document")},
               {"path", Text("of the file")},
               {"title", Text("of the document")},
               {"part", Text("page or heading; empty for the whole document")},
               {"text", Text("from offset on, at most 64 KiB")},
               {"bytes", Whole("of the whole part")},
               {"next_offset", OrNull("integer", "where the rest begins; null at the end")}},
              json::array({"document", "path", "part", "text", "bytes", "next_offset"}), false)});
  const json collection =
      Object({{"name", Text("of the collection")}, {"documents", Whole("in it")}},
             json::array({"name", "documents"}), false);
  tools.push_back({"status", "What the library holds",
                   "How many documents, pages and passages there are, and the collections.",
                   Object(json::object(), json::array(), true),
                   Object({{"version", Text("of vade")},
                           {"documents", Whole("indexed")},
                           {"skipped", Whole("files that could not be read")},
                           {"pages", Whole("of all documents")},
                           {"passages", Whole("that can be found")},
                           {"last_indexed", Whole("Unix time; 0: never")},
                           {"model", OrNull("string",
                                            "that answers; null: the documents' own "
                                            "sentences do")},
                           {"collections", Listed(collection)}},
                          json::array({"version", "documents", "collections"}), false)});
  return tools;
}

}  // namespace vade::qa
