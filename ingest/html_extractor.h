// HTML as a part of another format: raw HTML blocks in Markdown.
#pragma once

#include <string_view>

#include "ingest/document_builder.h"

namespace vade::ingest {

/// Appends what a reader of `html` would see. Nothing is fetched, hidden parts are left out.
void AppendHtmlFragment(std::string_view html, DocumentBuilder& builder);

}  // namespace vade::ingest
