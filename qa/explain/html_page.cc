// The page, section by section; the maps are data that the script draws.
#include "qa/explain/html_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string_view>

#include "engine/base/utf8.h"
#include "qa/eval/html_style.h"
#include "qa/eval/svg.h"
#include "qa/explain/html_script.h"
#include "qa/explain/html_style.h"

namespace vade::qa {
namespace {

using eval::svg::Escape;

constexpr size_t kTitleBytes = 120;
constexpr size_t kStripNumbers = 48;
constexpr size_t kHands = 16;
constexpr size_t kDials = 6;

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 320> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, args...);
  return buffer.data();
}

/// Spaces and control characters made visible; the id where there is no text.
std::string Visible(const ExplainedToken& token) {
  if (token.text.empty()) return "#" + std::to_string(token.id);
  std::string out;
  for (const char c : utf8::Escape(token.text)) {
    if (c == ' ') {
      out += "␣";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Base64(const std::vector<uint8_t>& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? bytes[i + j] : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      out += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

void AppendMap(const engine::DecoderTrace& trace, AttentionPlace place,
               std::vector<uint8_t>& cells) {
  for (size_t token = 0; token < trace.num_tokens; ++token) {
    for (const float weight : AttentionRow(trace, place, token)) {
      cells.push_back(static_cast<uint8_t>(std::lround(255 * std::sqrt(weight))));
    }
  }
}

class Page {
 public:
  Page(const Explanation& e, AttentionPlace place) : e_(e), trace_(e.trace), place_(place) {}

  HtmlPage Build() {
    Head();
    Tokens();
    Embedding();
    Positions();
    Attention();
    Logits();
    Loop();
    out_ +=
        "<footer>Made by <b>vade explain</b>. Attention is computed from the queries and keys "
        "of the model's own pass, before the cache rounds them.</footer></main>\n";
    Data();
    out_.append("<script>").append(kExplainScript).append("</script></body></html>\n");
    return {std::move(out_), left_out_heads_};
  }

 private:
  void Head() {
    std::string title;
    for (const ExplainedToken& token : e_.tokens) {
      if (!token.control) title += token.text;
    }
    title = utf8::Repair(title);
    if (title.size() > kTitleBytes) {
      title = title.substr(0, utf8::FloorBoundary(title, kTitleBytes)) + "…";
    }
    out_ =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'\"><meta name=\"color-scheme\" content=\"light dark\"><title>";
    out_ += Escape(title) + " - vade explain</title><style>";
    out_.append(eval::kReportStyle).append(kExplainStyle);
    out_ += "</style></head><body><main>\n<header><p class=\"brand\">vade explain</p><h1>" +
            Escape(title) + "</h1><p class=\"note\">" + Escape(utf8::Repair(e_.model)) +
            " &middot; " + Escape(e_.architecture) +
            Format(
                " &middot; %zu layers of %zu heads &middot; %zu numbers per token "
                "&middot; a vocabulary of %zu</p></header>\n",
                trace_.num_layers, trace_.num_heads, trace_.d_model, e_.vocab_size);
  }

  void Begin(std::string_view title, std::string_view note) {
    out_.append("<section><h2>").append(title).append("</h2><p class=\"note\">").append(note);
    out_ += "</p>";
  }
  void End() { out_ += "</section>\n"; }

  [[nodiscard]] static std::string Code(const ExplainedToken& token) {
    return std::string("<span class=\"mono") + (token.control ? " control" : "") + "\">" +
           Escape(Visible(token)) + "</span>";
  }

  void Tokens() {
    Begin("Tokens", Format("The text in %zu pieces of the model's vocabulary; ␣ is a space. Below "
                           "each piece stands its id.",
                           trace_.num_tokens));
    out_ += "<ul class=\"chips\">";
    for (const ExplainedToken& token : e_.tokens) {
      out_ += std::string("<li class=\"chip") + (token.control ? " control" : "") + "\">" +
              Escape(Visible(token)) + "<small>" + std::to_string(token.id) + "</small></li>";
    }
    out_ += "</ul>";
    End();
  }

  /// The first numbers of a row: blue above zero, orange below, strong where large.
  [[nodiscard]] static std::string Strip(std::span<const float> row, float largest) {
    const size_t count = std::min(row.size(), kStripNumbers);
    std::string svg = Format(
        "<svg class=\"strip\" viewBox=\"0 0 %zu 4\" "
        "preserveAspectRatio=\"none\" aria-hidden=\"true\">",
        count);
    for (size_t i = 0; i < count; ++i) {
      svg += Format("<rect class=\"%s\" x=\"%zu\" width=\"1\" height=\"4\" fill-opacity=\"%.2f\"/>",
                    row[i] < 0 ? "n" : "p", i, double{std::abs(row[i]) / largest});
    }
    return svg + "</svg>";
  }

  void Embedding() {
    std::string note = Format(
        "Each id is a row of a learnt table: %zu numbers that say what the "
        "piece means. The strip shows the first %zu, blue above zero and "
        "orange below.",
        trace_.d_model, std::min(trace_.d_model, kStripNumbers));
    if (trace_.embedding_scale != 1.0f) {
      note += Format(" This model multiplies them by %.4g.", double{trace_.embedding_scale});
    }
    Begin("Embedding", note);
    float largest = 1e-30f;
    for (const float x : trace_.embeddings) largest = std::max(largest, std::abs(x));
    out_ +=
        "<div class=\"scroll\"><table><thead><tr><th>Token</th><th>Numbers</th>"
        "<th class=\"num\">Length</th><th>Beginning</th></tr></thead><tbody>";
    for (size_t i = 0; i < trace_.num_tokens; ++i) {
      const auto row = trace_.Embedding(i);
      double squares = 0;
      for (const float x : row) squares += double{x} * double{x};
      out_ += "<tr><th scope=\"row\">" + Code(e_.tokens[i]) + "</th><td>" + Strip(row, largest) +
              Format("</td><td class=\"num\">%.3f</td><td class=\"num\">", std::sqrt(squares));
      for (size_t j = 0; j < std::min<size_t>(row.size(), 4); ++j) {
        out_ += Format("%s%.3f", j == 0 ? "" : ", ", double{row[j]});
      }
      out_ += "</td></tr>";
    }
    out_ += "</tbody></table></div>";
    End();
  }

  void Positions() {
    if (!trace_.positions.empty()) {
      Begin("Positions", "A learnt row of numbers for each place is added to the token's row.");
    } else if (trace_.rope.per_position.empty()) {
      Begin("Positions",
            "This model adds nothing: only the order of attention tells places apart.");
    } else {
      Begin("Positions",
            "Pairs of numbers in queries and keys turn by an angle that grows with the token's "
            "place (RoPE), so that attention sees how far apart two tokens stand: fast pairs tell "
            "neighbours apart, slow ones far places. Each hand is a token; the first is orange.");
      Dials(trace_.rope);
      const bool has_window =
          std::ranges::any_of(trace_.layers, [](const auto& layer) { return layer.window != 0; });
      if (has_window && trace_.local_rope.per_position != trace_.rope.per_position) {
        out_ += "<p class=\"note\">Layers that see a window only:</p>";
        Dials(trace_.local_rope);
      }
    }
    End();
  }

  void Dials(const engine::RopeTrace& rope) {
    out_ += "<div class=\"dials\">";
    for (const size_t pair : SomePairs(rope, kDials)) {
      const std::string says = Format("pair %zu: a turn takes %.*f tokens", pair,
                                      Wavelength(rope, pair) < 100 ? 1 : 0, Wavelength(rope, pair));
      out_ += "<figure><svg viewBox=\"-50 -50 100 100\" role=\"img\" aria-label=\"" + says +
              "\"><circle class=\"ring\" r=\"46\"/>";
      const size_t count = std::min(trace_.num_tokens, kHands);
      for (size_t i = count; i-- > 0;) {
        const double angle = static_cast<double>(i) * rope.per_position[pair];
        const double fade = 1 - 0.75 * static_cast<double>(i) / static_cast<double>(count);
        out_ += Format("<line class=\"hand%s\" x2=\"%.1f\" y2=\"%.1f\" stroke-opacity=\"%.2f\"/>",
                       i == 0 ? " first" : "", 42 * std::cos(angle), -42 * std::sin(angle), fade);
      }
      out_ += "</svg><figcaption>" + says;
      if (const double stretch = Stretch(rope, pair); std::abs(stretch - 1) > 1e-3) {
        out_ += Format("<br>slowed %.3g times for longer texts", stretch);
      }
      out_ += "</figcaption></figure>";
    }
    out_ += Format("</div><p class=\"note\">%zu pairs of the %zu numbers of a head, base %g.",
                   rope.per_position.size(), trace_.head_dim, double{rope.config.base});
    if (rope.config.scaling.attention_factor != 1.0f) {
      out_ += Format(" Cosines and sines are multiplied by %.4g.",
                     double{rope.config.scaling.attention_factor});
    }
    out_ += "</p>";
  }

  void Attention() {
    Begin("Attention",
          "Who looks at whom. In every layer every head lets each token gather from itself and "
          "those before it; the weights of a row sum to 100 %. Choose a token to see where it "
          "looks.");
    out_ +=
        "<div id=\"picker\" hidden><div class=\"picker\"><label>Layer<select id=\"layer\">"
        "</select></label><label>Head<select id=\"head\"></select></label></div>"
        "<div class=\"chips\" id=\"chips\" role=\"group\" aria-label=\"Token whose view is "
        "shown\">";
    for (size_t i = 0; i < e_.tokens.size(); ++i) {
      out_ += "<button type=\"button\" class=\"chip\" aria-pressed=\"false\">" +
              Escape(Visible(e_.tokens[i])) + "<small>" + std::to_string(i) + "</small></button>";
    }
    out_ +=
        "</div><p id=\"readout\" class=\"readout\" aria-live=\"polite\"></p>"
        "<p id=\"window\" class=\"note\"></p><div class=\"maps\"><div><h3>This map: a row per "
        "token, a column per token it looks at</h3><canvas id=\"map\" role=\"img\" "
        "aria-label=\"Attention map; the tokens above choose a row, which is told in "
        "words\"></canvas></div><div><h3>All maps: a row per layer, a column per head</h3>"
        "<canvas id=\"overview\" role=\"img\" aria-label=\"Attention maps of all layers and "
        "heads; the lists above choose one\"></canvas></div></div></div>"
        "<noscript><p class=\"warning\">The maps are drawn by a script of this page, which is "
        "switched off.</p></noscript>";
    End();
  }

  [[nodiscard]] static std::string Bar(double share, const char* kind) {
    return Format(
        "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" "
        "aria-hidden=\"true\"><rect class=\"%s\" width=\"%.2f\" height=\"10\" "
        "rx=\"1.5\"/></svg>",
        kind, 100 * share);
  }

  void Logits() {
    const ExplainedStep& step = e_.steps.front();
    Begin("Logits",
          Format("The last token's numbers give a score for each of the %zu tokens that could come "
                 "next; softmax makes probabilities of them. The settings then keep %zu (%s).",
                 e_.vocab_size, step.num_kept, Settings().c_str()));
    out_ +=
        "<div class=\"scroll\"><table><thead><tr><th>Token</th><th class=\"num\">Logit</th>"
        "<th class=\"num\">Probability</th><th></th><th class=\"num\">After the settings</th>"
        "<th></th></tr></thead><tbody>";
    for (size_t i = 0; i < step.candidates.size(); ++i) {
      const ExplainedCandidate& c = step.candidates[i];
      out_ += std::string("<tr") + (i == step.chosen ? " class=\"chosen\"" : "") +
              "><th scope=\"row\">" + Code(c.token) +
              (i == step.chosen ? " <small>chosen</small>" : "") +
              Format("</th><td class=\"num\">%.3f</td><td class=\"num\">%.1f %%</td><td>",
                     double{c.logit}, 100 * c.probability) +
              Bar(c.probability, "model") + "</td>";
      if (c.kept) {
        out_ += Format("<td class=\"num\">%.1f %%</td><td>", 100 * *c.kept) + Bar(*c.kept, "kept");
      } else {
        out_ += "<td class=\"num cut\">cut off</td><td>";
      }
      out_ += "</td></tr>";
    }
    out_ += "</tbody></table></div>";
    End();
  }

  [[nodiscard]] std::string Settings() const {
    const runtime::SamplingOptions& s = e_.sampling;
    if (s.temperature == 0) return "temperature 0: the best one";
    return Format("temperature %.3g, top-k %d, top-p %.3g, min-p %.3g, seed %llu",
                  double{s.temperature}, s.top_k, double{s.top_p}, double{s.min_p},
                  static_cast<unsigned long long>(e_.seed));
  }

  void Loop() {
    Begin("Sampling and the loop",
          "One token is drawn and appended, and everything starts again with the longer text. Keys "
          "and values of what stands already are kept, so only the new token is computed.");
    out_ +=
        "<div class=\"scroll\"><table><thead><tr><th class=\"num\">Turn</th><th>Drawn</th>"
        "<th class=\"num\">Probability</th><th>What else could have come</th></tr></thead>"
        "<tbody>";
    for (size_t i = 0; i < e_.steps.size(); ++i) {
      const ExplainedStep& step = e_.steps[i];
      const ExplainedCandidate& chosen = step.candidates[step.chosen];
      out_ += Format("<tr><td class=\"num\">%zu</td><th scope=\"row\">", i + 1) +
              Code(chosen.token) +
              Format("</th><td class=\"num\">%.1f %%</td><td><p class=\"candidates\">",
                     100 * chosen.probability);
      size_t others = 0;
      for (size_t c = 0; c < step.candidates.size() && others < 4; ++c) {
        if (c == step.chosen) continue;
        out_ += std::string(others == 0 ? "" : " &middot; ") + "<b>" +
                Code(step.candidates[c].token) + "</b> " +
                Format("%.1f&nbsp;%%", 100 * step.candidates[c].probability);
        ++others;
      }
      out_ += "</p></td></tr>";
    }
    std::string prompt;
    for (const ExplainedToken& token : e_.tokens) {
      if (!token.control) prompt += token.text;
    }
    out_ += "</tbody></table></div><p class=\"written\">" + Escape(utf8::Repair(prompt)) +
            "<mark>" + Escape(utf8::Repair(e_.generated)) + "</mark>" +
            (e_.ended ? " <small>The model ended its text here.</small>" : "") + "</p>";
    End();
  }

  /// What the script draws from. "<" never appears, so that no text can end the element.
  void Data() {
    const size_t map = trace_.num_tokens * (trace_.num_tokens + 1) / 2;
    const bool all = trace_.num_layers * trace_.num_heads * map <= kMaxPageWeights;
    std::vector<uint8_t> means;
    std::vector<uint8_t> heads;
    std::vector<size_t> layers_with_heads;
    nlohmann::json windows = nlohmann::json::array();
    for (size_t layer = 0; layer < trace_.num_layers; ++layer) {
      windows.push_back(trace_.layers[layer].window);
      AppendMap(trace_, {layer, {}}, means);
      if (!all && layer != place_.layer_idx) {
        left_out_heads_ += trace_.num_heads;
        continue;
      }
      layers_with_heads.push_back(layer);
      for (size_t head = 0; head < trace_.num_heads; ++head) {
        AppendMap(trace_, {layer, head}, heads);
      }
    }
    nlohmann::json names = nlohmann::json::array();
    for (const ExplainedToken& token : e_.tokens) names.push_back(Visible(token));
    const nlohmann::json data = {
        {"tokens", std::move(names)},
        {"numLayers", trace_.num_layers},
        {"numHeads", trace_.num_heads},
        {"windows", std::move(windows)},
        {"layer", place_.layer_idx},
        {"head", place_.head ? nlohmann::json(*place_.head) : nlohmann::json(-1)},
        {"layersWithHeads", layers_with_heads},
        {"means", Base64(means)},
        {"heads", Base64(heads)}};
    out_ += "<script type=\"application/json\" id=\"data\">";
    for (const char c : data.dump()) {
      if (c == '<') {
        out_ += "\\u003c";
      } else {
        out_ += c;
      }
    }
    out_ += "</script>\n";
  }

  const Explanation& e_;
  const engine::DecoderTrace& trace_;
  const AttentionPlace place_;
  std::string out_;
  size_t left_out_heads_ = 0;
};

}  // namespace

HtmlPage ExplainHtml(const Explanation& explanation, AttentionPlace place) {
  return Page(explanation, place).Build();
}

}  // namespace vade::qa
