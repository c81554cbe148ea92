// Tables, bars and a shaded map in plain characters; colour only adds to them.
#include "qa/cli/explain_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "engine/base/utf8.h"
#include "qa/cli/text_width.h"

namespace vade::qa {
namespace {

constexpr size_t kTokenColumns = 14;
constexpr size_t kMapTokens = 24;  // positions the map shows
constexpr size_t kShownTokens = 32;
constexpr size_t kBarColumns = 20;

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 160> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, args...);
  return buffer.data();
}

/// In quotes, so that spaces show; control tokens by their bare name; by its id what has no text.
std::string Name(const ExplainedToken& token) {
  if (token.text.empty()) return "#" + std::to_string(token.id);
  const std::string text = utf8::Escape(token.text);
  return token.control ? text : "\"" + text + "\"";
}

std::string Percent(double share) { return Format("%5.1f %%", 100 * share); }

/// A bar of eighths of a column; at least one for anything above zero.
std::string Bar(double share) {
  constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double eighths = share * double{8 * kBarColumns};
  size_t count = static_cast<size_t>(std::lround(eighths));
  if (count == 0 && share > 0) count = 1;
  std::string bar;
  for (size_t i = 0; i < count / 8; ++i) bar += "█";
  bar += kEighths[count % 8];
  return bar;
}

std::string_view Shade(float weight) {
  constexpr std::array<std::string_view, 5> kShades = {"  ", "░░", "▒▒", "▓▓", "██"};
  constexpr std::array<float, 4> kFrom = {0.02f, 0.1f, 0.25f, 0.5f};
  const auto above = std::ranges::count_if(kFrom, [&](float from) { return weight >= from; });
  return kShades[static_cast<size_t>(above)];
}

class Writer {
 public:
  Writer(const Explanation& e, AttentionPlace place, const Terminal& terminal)
      : e_(e), trace_(e.trace), place_(place), terminal_(terminal) {}

  std::string Write() {
    Line(terminal_.Bold(utf8::Escape(e_.model)) +
         terminal_.Dim(Format("  %s, %zu layers of %zu heads, %zu numbers per token",
                              e_.architecture.c_str(), trace_.num_layers, trace_.num_heads,
                              trace_.d_model)));
    Tokens();
    Embedding();
    Positions();
    Attention();
    Logits();
    Loop();
    return std::move(out_);
  }

 private:
  void Line(std::string_view text = {}) { out_.append(text).append("\n"); }
  void Note(std::string_view text) { Line("   " + terminal_.Dim(text)); }
  void Head(int number, std::string_view title, std::string_view what) {
    Line();
    Line(terminal_.Marked(std::to_string(number) + "  " + std::string(title)) +
         terminal_.Dim("  " + std::string(what)));
  }

  [[nodiscard]] std::string Token(size_t position) const { return Name(e_.tokens[position]); }
  [[nodiscard]] size_t num_shown() const { return std::min(trace_.num_tokens, kShownTokens); }
  void LeftOut() {
    if (trace_.num_tokens > num_shown()) {
      Note(
          Format("... and %zu more (--json and --html have all)", trace_.num_tokens - num_shown()));
    }
  }

  void Tokens() {
    Head(1, "Tokens", Format("the text in pieces of a vocabulary of %zu", e_.vocab_size));
    std::string line = "  ";
    size_t width = 2;
    for (size_t i = 0; i < trace_.num_tokens; ++i) {
      const std::string id = Format("%d", e_.tokens[i].id);
      const size_t columns = TextWidth(Token(i)) + id.size() + 3;
      if (width + columns > 79 && width > 2) {
        Line(line);
        line = "  ";
        width = 2;
      }
      line += " " + Token(i) + " " + terminal_.Dim(id) + " ";
      width += columns;
    }
    Line(line);
    Note(Format("%zu tokens", trace_.num_tokens));
  }

  void Embedding() {
    Head(2, "Embedding", "each id is a row of a learnt table");
    for (size_t i = 0; i < num_shown(); ++i) {
      const auto row = trace_.Embedding(i);
      double squares = 0;
      for (const float x : row) squares += double{x} * double{x};
      std::string line = "   " + FitWidth(Token(i), kTokenColumns);
      for (size_t j = 0; j < std::min<size_t>(5, row.size()); ++j) {
        line += Format(" %8.3f", double{row[j]});
      }
      Line(line + terminal_.Dim(Format("  length %.3f", std::sqrt(squares))));
    }
    LeftOut();
    if (trace_.embedding_scale != 1.0f) {
      Note(Format("rows are multiplied by %.4g", double{trace_.embedding_scale}));
    }
  }

  void Positions() {
    if (!trace_.positions.empty()) {
      Head(3, "Positions", "a learnt row for each place is added");
      return;
    }
    if (trace_.rope.per_position.empty()) {
      Head(3, "Positions", "nothing says where a token stands but the order of attention");
      return;
    }
    Head(3, "Positions", "queries and keys turn by an angle that grows with their place");
    Rope(trace_.rope);
    const bool has_window =
        std::ranges::any_of(trace_.layers, [](const auto& layer) { return layer.window != 0; });
    if (has_window && trace_.local_rope.per_position != trace_.rope.per_position) {
      Note("layers with a window:");
      Rope(trace_.local_rope);
    }
    const auto still =
        std::ranges::count_if(trace_.layers, [](const auto& layer) { return !layer.rotates; });
    if (still > 0) Note(Format("%td layers are not rotated", still));
  }

  void Rope(const engine::RopeTrace& rope) {
    const size_t last = trace_.num_tokens - 1;
    Note(Format("%zu pairs of the %zu numbers of a head, base %g", rope.per_position.size(),
                trace_.head_dim, double{rope.config.base}));
    Line("   pair   a full turn takes   angle at position 1" +
         (last > 1 ? Format("     at %zu", last) : ""));
    bool stretched = false;
    for (const size_t pair : SomePairs(rope, 8)) {
      const auto degrees = [&](double position) {
        return std::fmod(position * rope.per_position[pair] * 180 / 3.14159265358979, 360.0);
      };
      std::string line =
          Format("   %4zu %12.1f tokens %15.2f°", pair, Wavelength(rope, pair), degrees(1));
      if (last > 1) line += Format(" %10.2f°", degrees(static_cast<double>(last)));
      if (const double stretch = Stretch(rope, pair); std::abs(stretch - 1) > 1e-3) {
        line += Format("  slowed %.3gx", stretch);
        stretched = true;
      }
      Line(line);
    }
    const auto& scaling = rope.config.scaling;
    if (stretched) {
      Note(scaling.yarn ? Format("slowed for longer texts than the %zu tokens of training (yarn)",
                                 scaling.original_ctx_len)
                        : "slowed, so that longer texts than in training fit");
    }
    if (scaling.attention_factor != 1.0f) {
      Note(Format("cosines and sines are multiplied by %.4g", double{scaling.attention_factor}));
    }
  }

  void Attention() {
    Head(4, "Attention", "who looks at whom: a row's weights sum to 100 %");
    Map();
    Line();
    Note("where the last token looks, mean over a layer's heads:");
    for (size_t layer = 0; layer < trace_.num_layers; ++layer) {
      const auto row = AttentionRow(trace_, {layer, {}}, trace_.num_tokens - 1);
      std::string line = Format("   layer %-3zu", layer);
      for (const Glance& glance : Strongest(row, 3)) {
        line.append(1, ' ').append(FitWidth(Token(glance.token), kTokenColumns));
        line += Percent(double{glance.weight});
      }
      Line(line);
    }
  }

  void Map() {
    const size_t num_tokens = trace_.num_tokens;
    const size_t first = num_tokens > kMapTokens ? num_tokens - kMapTokens : 0;
    std::string title = Format("layer %zu of 0-%zu, ", place_.layer_idx, trace_.num_layers - 1);
    title += place_.head ? Format("head %zu of 0-%zu", *place_.head, trace_.num_heads - 1)
                         : "mean of its heads";
    if (const size_t window = trace_.layers[place_.layer_idx].window; window != 0) {
      title += Format(", which sees %zu tokens back", window);
    }
    Note(title + "  (--layer, --head)");
    std::string header = "   " + std::string(kTokenColumns + 5, ' ');
    for (size_t other = first; other < num_tokens; ++other) {
      header += other % 2 == 0 || other > 99 ? FitWidth(Format("%zu", other % 100), 2) : "  ";
    }
    Line(terminal_.Dim(header));
    for (size_t token = first; token < num_tokens; ++token) {
      const auto row = AttentionRow(trace_, place_, token);
      std::string cells;
      for (size_t other = first; other <= token; ++other) cells += Shade(row[other]);
      Line("   " + FitWidth(Token(token), kTokenColumns) + terminal_.Dim(Format("%4zu ", token)) +
           terminal_.Heat(cells) + terminal_.Dim("▏"));
    }
    Note("░ from 2 %   ▒ from 10 %   ▓ from 25 %   █ from 50 %");
    if (first > 0) Note(Format("positions 0 to %zu are left out here", first - 1));
  }

  void Logits() {
    const ExplainedStep& step = e_.steps.front();
    Head(5, "Logits",
         Format("a score for each of %zu tokens; softmax makes it a probability", e_.vocab_size));
    Line("   " + FitWidth("", kTokenColumns) + "    logit  probability" +
         std::string(kBarColumns - 2, ' ') + "after the settings");
    for (const ExplainedCandidate& candidate : step.candidates) {
      Line("   " + FitWidth(Name(candidate.token), kTokenColumns) +
           Format(" %8.3f ", double{candidate.logit}) + Percent(candidate.probability) + " " +
           terminal_.Heat(FitWidth(Bar(candidate.probability), kBarColumns + 1)) +
           (candidate.kept ? Percent(*candidate.kept) : terminal_.Dim("  cut off")));
    }
    Note(Settings() + Format(": %zu of %zu tokens are left", step.num_kept, e_.vocab_size));
  }

  [[nodiscard]] std::string Settings() const {
    const runtime::SamplingOptions& s = e_.sampling;
    if (s.temperature == 0) return "temperature 0 takes the best";
    std::string text = Format("temperature %.3g", double{s.temperature});
    if (s.top_k > 0) text += Format(", top-k %d", s.top_k);
    if (s.top_p < 1) text += Format(", top-p %.3g", double{s.top_p});
    if (s.min_p > 0) text += Format(", min-p %.3g", double{s.min_p});
    if (s.typical_p < 1) text += Format(", typical-p %.3g", double{s.typical_p});
    if (s.repeat_penalty != 1) text += Format(", repeat penalty %.3g", double{s.repeat_penalty});
    return text;
  }

  void Loop() {
    Head(6, "Sampling and the loop", "the chosen token is appended, and it starts again");
    for (size_t i = 0; i < e_.steps.size(); ++i) {
      const ExplainedStep& step = e_.steps[i];
      const ExplainedCandidate& chosen = step.candidates[step.chosen];
      std::string line = Format("   %2zu  ", i + 1);
      line += terminal_.Bold(FitWidth(Name(chosen.token), kTokenColumns)) +
              Percent(chosen.probability) + terminal_.Dim("  instead of");
      size_t others = 0;
      for (size_t c = 0; c < step.candidates.size() && others < 2; ++c) {
        if (c == step.chosen) continue;
        line += "  " + FitWidth(Name(step.candidates[c].token), 9) +
                Percent(step.candidates[c].probability);
        ++others;
      }
      Line(line);
    }
    Line();
    Line(EscapeLines(Prompt()) + terminal_.Bold(EscapeLines(utf8::Repair(e_.generated))));
    if (e_.ended) Note("the model ended its text here");
    if (e_.sampling.temperature != 0) {
      Note(Format("seed %llu", static_cast<unsigned long long>(e_.seed)));
    }
  }

  [[nodiscard]] std::string Prompt() const {
    std::string text;
    for (const ExplainedToken& token : e_.tokens) {
      if (!token.control) text += token.text;
    }
    return utf8::Repair(text);
  }

  const Explanation& e_;
  const engine::DecoderTrace& trace_;
  const AttentionPlace place_;
  const Terminal& terminal_;
  std::string out_;
};

}  // namespace

std::string ExplainText(const Explanation& explanation, AttentionPlace place,
                        const Terminal& terminal) {
  return Writer(explanation, place, terminal).Write();
}

}  // namespace vade::qa
