// TREC text formats: reading line by line, with the line number in every message.
#include "qa/eval/trec_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <optional>
#include <vector>

#include "engine/base/file.h"
#include "qa/eval/json_format.h"
#include "qa/eval/ranking.h"

namespace vade::qa::eval {
namespace {

constexpr std::string_view kSpace = " \t\r\v\f";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr uint64_t kMaxFileBytes = uint64_t{8} << 30;

std::string Where(std::string_view name, size_t line) {
  return std::string(name) + ":" + std::to_string(line) + ": ";
}

/// A field for a message: never longer than a screen line.
std::string Quoted(std::string_view field) {
  constexpr size_t kMaxShown = 60;
  std::string out = "'";
  out.append(field.substr(0, kMaxShown)).append(field.size() > kMaxShown ? "...'" : "'");
  return out;
}

/// Walks the lines of a text that hold data.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  std::optional<std::string_view> Next() {
    while (!rest_.empty()) {
      const size_t end = rest_.find('\n');
      std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      ++number_;
      const size_t first = line.find_first_not_of(kSpace);
      if (first == std::string_view::npos || line[first] == '#') continue;
      return line;
    }
    return std::nullopt;
  }

  [[nodiscard]] size_t number() const { return number_; }

 private:
  std::string_view rest_;
  size_t number_ = 0;
};

/// The first N white-space separated fields; returns how many there were.
template <size_t N>
size_t Split(std::string_view line, std::array<std::string_view, N>& fields) {
  size_t count = 0;
  size_t at = line.find_first_not_of(kSpace);
  while (count < N && at != std::string_view::npos) {
    const size_t end = std::min(line.find_first_of(kSpace, at), line.size());
    fields[count++] = line.substr(at, end - at);
    at = line.find_first_not_of(kSpace, end);
  }
  return count;
}

std::optional<double> ParseScore(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (end != field.data() + field.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    value = std::strtod(std::string(field).c_str(), nullptr);  // too small is 0, too large infinite
  } else if (error != std::errc()) {
    return std::nullopt;
  }
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

Result<int> ParseGrade(std::string_view field, const std::string& where) {
  const std::string_view digits = field.starts_with('+') ? field.substr(1) : field;
  int grade = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), grade);
  if (error == std::errc() && end == digits.data() + digits.size() && grade >= kMinGrade &&
      grade <= kMaxGrade) {
    return grade;
  }
  return Fail(ErrorCode::kCorruptData,
              where + "relevance " + Quoted(field) + ", want a whole number from -127 to 127");
}

/// Sorts the judgments of each question and finds documents judged twice.
Result<Qrels> FinishQrels(Qrels qrels, std::string_view name) {
  if (qrels.empty()) {
    return Fail(ErrorCode::kCorruptData, std::string(name) + ": no relevance judgments");
  }
  for (auto& [query, judgments] : qrels) {
    std::sort(judgments.begin(), judgments.end(),
              [](const Judgment& a, const Judgment& b) { return a.doc < b.doc; });
    const auto twice =
        std::adjacent_find(judgments.begin(), judgments.end(),
                           [](const Judgment& a, const Judgment& b) { return a.doc == b.doc; });
    if (twice != judgments.end()) {
      return Fail(ErrorCode::kCorruptData, std::string(name) + ": document " + Quoted(twice->doc) +
                                               " is judged twice for query " + Quoted(query));
    }
  }
  return qrels;
}

Result<void> CheckRunDuplicates(const Run& run, std::string_view name) {
  std::vector<std::string_view> docs;
  for (const auto& [query, retrieved] : run.queries) {
    docs.clear();
    for (const Retrieved& hit : retrieved) docs.push_back(hit.doc);
    std::sort(docs.begin(), docs.end());
    const auto twice = std::adjacent_find(docs.begin(), docs.end());
    if (twice != docs.end()) {
      return Fail(ErrorCode::kCorruptData, std::string(name) + ": document " + Quoted(*twice) +
                                               " is retrieved twice for query " + Quoted(query));
    }
  }
  return {};
}

Result<std::string> ReadInput(const std::filesystem::path& path) {
  if (path != "-") return ReadFile(path, kMaxFileBytes);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

bool LooksLikeJson(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

bool LooksLikeBeirTable(std::string_view text) {
  std::array<std::string_view, 3> fields;
  const auto line = LineReader(text).Next();
  return line && Split(*line, fields) == 3 && fields[0] == "query-id" && fields[1] == "corpus-id";
}

}  // namespace

Result<Qrels> ParseTrecQrels(std::string_view text, std::string_view name) {
  Qrels qrels;
  LineReader lines(text);
  std::array<std::string_view, 5> fields;
  while (const auto line = lines.Next()) {
    const std::string where = Where(name, lines.number());
    if (const size_t count = Split(*line, fields); count != 4) {
      return Fail(ErrorCode::kCorruptData,
                  where + "got " + (count < 4 ? std::to_string(count) : "more than 4") +
                      " fields, want 4: query iteration document relevance");
    }
    VADE_TRY(const int grade, ParseGrade(fields[3], where));
    qrels[std::string(fields[0])].push_back({std::string(fields[2]), grade});
  }
  return FinishQrels(std::move(qrels), name);
}

Result<Qrels> ParseBeirQrels(std::string_view text, std::string_view name) {
  Qrels qrels;
  LineReader lines(text);
  (void)lines.Next();  // the header
  while (const auto line = lines.Next()) {
    const std::string where = Where(name, lines.number());
    // Document ids of sections hold spaces, so only tabs separate here.
    const size_t first = line->find('\t');
    const size_t second = first == std::string_view::npos ? first : line->find('\t', first + 1);
    if (second == std::string_view::npos) {
      return Fail(ErrorCode::kCorruptData,
                  where + "want 3 fields separated by tabs: query-id corpus-id score");
    }
    std::string_view score = line->substr(second + 1);
    score.remove_suffix(
        score.size() - 1 -
        std::min(score.find_last_not_of(kSpace), score.empty() ? 0 : score.size() - 1));
    VADE_TRY(const int grade, ParseGrade(score, where));
    qrels[std::string(line->substr(0, first))].push_back(
        {std::string(line->substr(first + 1, second - first - 1)), grade});
  }
  return FinishQrels(std::move(qrels), name);
}

Result<Run> ParseTrecRun(std::string_view text, std::string_view name) {
  Run run;
  LineReader lines(text);
  std::array<std::string_view, 6> fields;
  while (const auto line = lines.Next()) {
    const std::string where = Where(name, lines.number());
    if (const size_t count = Split(*line, fields); count < 6) {
      return Fail(ErrorCode::kCorruptData, where + "got " + std::to_string(count) +
                                               " fields, want 6: query Q0 document rank score tag");
    }
    const std::optional<double> score = ParseScore(fields[4]);
    if (!score) {
      return Fail(ErrorCode::kCorruptData,
                  where + "score " + Quoted(fields[4]) + ", want a finite number");
    }
    if (run.tag.empty()) run.tag = fields[5];
    run.queries[std::string(fields[0])].push_back({std::string(fields[2]), *score});
  }
  if (run.queries.empty()) {
    return Fail(ErrorCode::kCorruptData, std::string(name) + ": the run is empty");
  }
  VADE_CHECK_OK(CheckRunDuplicates(run, name));
  return run;
}

Result<std::string> FormatTrecRun(const Run& run) {
  const auto splits = [](std::string_view id) {
    return id.empty() || id.find_first_of(" \t\r\n\v\f") != std::string_view::npos;
  };
  const std::string tag = run.tag.empty() ? "vade" : run.tag;
  if (splits(tag)) {
    return Fail(ErrorCode::kInvalidArgument, "run tag " + Quoted(tag) + " holds white space");
  }
  std::string out;
  for (const auto& [query, retrieved] : run.queries) {
    size_t rank = 0;
    for (const size_t at : TrecOrder(retrieved, ScorePrecision::kSingle)) {
      const Retrieved& hit = retrieved[at];
      if (splits(query) || splits(hit.doc)) {
        return Fail(ErrorCode::kInvalidArgument, "query " + Quoted(query) + ", document " +
                                                     Quoted(hit.doc) +
                                                     ": a TREC run cannot hold an id that is empty "
                                                     "or has white space");
      }
      char buffer[32];
      const auto written = std::to_chars(std::begin(buffer), std::end(buffer), hit.score);
      const std::string_view score(buffer, static_cast<size_t>(written.ptr - buffer));
      out.append(query).append(" Q0 ").append(hit.doc).append(" ");
      out.append(std::to_string(++rank)).append(" ").append(score).append(" ").append(tag) += '\n';
    }
  }
  return out;
}

Result<Qrels> LoadQrels(const std::filesystem::path& path) {
  VADE_TRY(const std::string text, ReadInput(path));
  if (LooksLikeJson(text)) return ParseJsonQrels(text, path.string());
  if (LooksLikeBeirTable(text)) return ParseBeirQrels(text, path.string());
  return ParseTrecQrels(text, path.string());
}

Result<Run> LoadRun(const std::filesystem::path& path) {
  VADE_TRY(const std::string text, ReadInput(path));
  if (LooksLikeJson(text)) {
    VADE_TRY(Run run, ParseJsonRun(text, path.string()));
    run.tag = path == "-" ? "stdin" : path.stem().string();
    return run;
  }
  return ParseTrecRun(text, path.string());
}

}  // namespace vade::qa::eval
