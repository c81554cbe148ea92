// vade eval: scores run files or a test collection, compares configurations, and fails a build
// whose retrieval got worse.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "engine/base/utf8.h"
#include "qa/cli/context.h"
#include "qa/cli/progress.h"
#include "qa/cli/question_flags.h"
#include "qa/cli/rerank_flags.h"
#include "qa/eval/html_report.h"
#include "qa/eval/report.h"
#include "qa/eval/report_text.h"
#include "qa/eval/runner.h"
#include "qa/eval/trec_format.h"
#include "qa/eval/trec_report.h"

namespace vade::qa {
namespace {

namespace fs = std::filesystem;
using eval::Report;

/// A measure fell below its --min: the tool worked, the retrieval did not.
constexpr int kBelowMinimum = 9;

struct EvalFlags {
  fs::path folder;
  fs::path qrels;
  std::vector<fs::path> runs;
  std::vector<std::string> measures;
  std::vector<std::string> minimums;
  std::string split = "test";
  std::string compare;
  std::string mode = "hybrid";
  fs::path run_out;
  fs::path html;
  bool trec = false;
  bool no_cache = false;
  bool no_answers = false;
  eval::RunnerOptions runner;
  RerankFlags rerank;
  // trec_eval's own switches
  eval::TrecOptions trec_options;
  bool no_summary = false;
  int64_t num_docs = 0;
};

int RunTrec(const EvalFlags& flags) {
  const auto qrels = eval::LoadQrels(flags.qrels);
  if (!qrels) return FailInput(qrels.error());
  const auto measures = eval::ParseTrecMeasures(flags.measures, flags.num_docs);
  if (!measures) return FailUsage(measures.error().message);
  eval::TrecOptions options = flags.trec_options;
  options.summary = !flags.no_summary;
  for (const fs::path& path : flags.runs) {
    const auto run = eval::LoadRun(path);
    if (!run) return FailInput(run.error());
    const auto report = eval::TrecReport(*qrels, *run, *measures, options);
    if (!report) {
      std::cerr << "vade: error: " << report.error().message << '\n';
      return kInputRejected;
    }
    std::cout << *report;
  }
  return kOk;
}

/// "[arm:]measure=value" of --min.
struct Minimum {
  std::string arm;  // empty: the rule of IsHeldTo
  eval::Measure measure;
  double value = 0;
};

Result<Minimum> ParseMinimum(const std::string& text) {
  const size_t equals = text.rfind('=');
  const std::string bad = "--min " + text + ": want [SYSTEM:]MEASURE=VALUE, as in ndcg@10=0.7";
  if (equals == std::string::npos) return Fail(ErrorCode::kInvalidArgument, bad);
  std::string name = text.substr(0, equals);
  Minimum minimum;
  if (const size_t colon = name.find(':'); colon != std::string::npos) {
    minimum.arm = name.substr(0, colon);
    name.erase(0, colon + 1);
  }
  const char* begin = text.data() + equals + 1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, minimum.value);
  if (error != std::errc() || stop != end) return Fail(ErrorCode::kInvalidArgument, bad);
  auto measure = eval::ParseMeasure(name);
  if (!measure) return tl::unexpected(measure.error());
  minimum.measure = std::move(*measure);
  return minimum;
}

Result<std::vector<Minimum>> ParseMinimums(const EvalFlags& flags) {
  std::vector<Minimum> minimums;
  for (const std::string& text : flags.minimums) {
    VADE_TRY(Minimum minimum, ParseMinimum(text));
    minimums.push_back(std::move(minimum));
  }
  return minimums;
}

/// The measures to show: those asked for, else the default ones; those of --min always.
Result<std::vector<eval::Measure>> MeasuresToShow(const EvalFlags& flags,
                                                  const std::vector<Minimum>& minimums) {
  std::vector<eval::Measure> measures;
  const auto add = [&](eval::Measure measure) {
    for (const eval::Measure& known : measures) {
      if (known.name == measure.name) return;
    }
    measures.push_back(std::move(measure));
  };
  for (const std::string& name : flags.measures) {
    VADE_TRY(eval::Measure measure, eval::ParseMeasure(name));
    add(std::move(measure));
  }
  if (measures.empty()) measures = eval::DefaultMeasures();
  for (const Minimum& minimum : minimums) add(minimum.measure);
  return measures;
}

/// Without a name, a minimum holds for the default search where it is among several modes, else
/// for every system.
bool IsHeldTo(const Minimum& minimum, const std::string& arm, const Report& report) {
  if (!minimum.arm.empty()) return minimum.arm == arm;
  for (const auto& each : report.arms) {
    if (each.name == "hybrid") return arm == "hybrid";
  }
  return true;
}

int CheckMinimums(const std::vector<Minimum>& minimums, const Report& report) {
  int code = kOk;
  for (const Minimum& minimum : minimums) {
    bool held = false;
    for (const auto& arm : report.arms) {
      if (!IsHeldTo(minimum, arm.name, report)) continue;
      held = true;
      for (size_t m = 0; m < report.input.measures.size(); ++m) {
        if (report.input.measures[m].name != minimum.measure.name) continue;
        if (arm.means[m] >= minimum.value) continue;
        std::cerr << "vade: " << arm.name << ": " << minimum.measure.name << " is " << arm.means[m]
                  << ", below the minimum of " << minimum.value << '\n';
        code = kBelowMinimum;
      }
    }
    if (!held) return FailUsage("--min: no system is called '" + minimum.arm + "'");
  }
  return code;
}

Result<void> WriteOutputs(const EvalFlags& flags, const Report& report) {
  if (!flags.html.empty()) {
    VADE_CHECK_OK(WriteFileAtomically(flags.html, eval::FormatHtml(report)));
  }
  if (flags.run_out.empty()) return {};
  for (const auto& arm : report.input.arms) {
    fs::path path = flags.run_out;
    if (report.input.arms.size() > 1) {  // one file per system: results.run -> results.dense.run
      path.replace_filename(path.stem().string() + "." + arm.name + path.extension().string());
    }
    VADE_TRY(const std::string text, eval::FormatTrecRun(arm.run));
    VADE_CHECK_OK(WriteFileAtomically(path, text));
  }
  return {};
}

int Show(const Context& context, const EvalFlags& flags, eval::ReportInput input,
         const std::vector<Minimum>& minimums) {
  auto measures = MeasuresToShow(flags, minimums);
  if (!measures) return FailUsage(measures.error().message);
  input.measures = std::move(*measures);
  const auto report = eval::MakeReport(std::move(input));
  if (!report) {
    std::cerr << "vade: error: " << report.error().message << '\n';
    return kInputRejected;
  }
  if (!context.global.quiet) {
    for (const std::string& warning : report->input.warnings) {
      std::cerr << "vade: warning: " << utf8::Escape(warning) << '\n';
    }
  }
  const bool bold = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  std::cout << (context.global.json ? eval::FormatJson(*report) : eval::FormatTable(*report, bold));
  if (const auto written = WriteOutputs(flags, *report); !written) {
    return FailInput(written.error());
  }
  return CheckMinimums(minimums, *report);
}

int RunFiles(const Context& context, const EvalFlags& flags, const std::vector<Minimum>& minimums) {
  auto qrels = eval::LoadQrels(flags.qrels);
  if (!qrels) return FailInput(qrels.error());
  eval::ReportInput input;
  input.title = flags.qrels.filename().string();
  input.qrels = std::move(*qrels);
  for (const fs::path& path : flags.runs) {
    auto run = eval::LoadRun(path);
    if (!run) return FailInput(run.error());
    std::string name = run->tag;
    for (const auto& arm : input.arms) {
      if (arm.name == name) name = path.filename().string();  // two runs of one tag
    }
    input.arms.push_back({name, std::move(*run), {}});
  }
  return Show(context, flags, std::move(input), minimums);
}

Result<std::vector<retriever::Mode>> Modes(const EvalFlags& flags) {
  std::vector<retriever::Mode> modes;
  std::string_view rest = flags.compare.empty() ? flags.mode : flags.compare;
  if (flags.runner.lost && flags.compare.empty()) rest = "lexical,dense,hybrid";
  while (true) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const auto mode = retriever::ParseMode(rest.substr(0, comma));
    if (!mode) {
      return Fail(ErrorCode::kInvalidArgument, "unknown search mode '" +
                                                   std::string(rest.substr(0, comma)) +
                                                   "', want lexical, dense or hybrid");
    }
    if (std::find(modes.begin(), modes.end(), *mode) == modes.end()) modes.push_back(*mode);
    if (comma == rest.size()) break;
    rest.remove_prefix(comma + 1);
  }
  if (flags.runner.lost && modes.size() < 3) {
    return Fail(ErrorCode::kInvalidArgument, "--lost needs all three modes in --compare");
  }
  return modes;
}

fs::path CacheFolder() {
  const char* base = std::getenv("XDG_CACHE_HOME");
  if (base != nullptr && *base == '/') return fs::path(base) / "vade" / "eval";
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? fs::path() : fs::path(home) / ".cache/vade/eval";
}

/// Shows one progress line per phase.
class PhaseProgress {
 public:
  explicit PhaseProgress(bool quiet) : quiet_(quiet) {}
  void operator()(std::string_view what, size_t done, size_t total) {
    if (!progress_ || what != phase_) {
      progress_.reset();
      progress_ = std::make_unique<Progress>(what, quiet_);
      phase_ = what;
    }
    progress_->Update(done, total, std::to_string(done) + "/" + std::to_string(total));
  }

 private:
  bool quiet_;
  std::string phase_;
  std::unique_ptr<Progress> progress_;
};

int RunFolder(Context& context, EvalFlags& flags, const std::vector<Minimum>& minimums) {
  auto modes = Modes(flags);
  if (!modes) return FailUsage(modes.error().message);
  flags.runner.modes = std::move(*modes);
  flags.runner.answers = !flags.no_answers;
  flags.runner.num_threads = context.global.threads;
  if (!flags.no_cache) flags.runner.cache_folder = CacheFolder();
  auto collection = eval::LoadCollection(flags.folder, flags.split);
  if (!collection) return FailInput(collection.error());
  int code = kOk;
  const auto embedder = OpenEmbedder(context, nullptr, &code);
  if (embedder == nullptr) return code;
  const auto reranker = OpenReranker(context, flags.rerank, &code);
  if (code != kOk) return code;
  flags.runner.reranker = reranker.get();
  flags.runner.rerank = flags.rerank.top;
  auto progress = std::make_shared<PhaseProgress>(context.global.quiet);
  const eval::RunnerProgress show = [progress](std::string_view what, size_t done, size_t total) {
    (*progress)(what, done, total);
  };
  const auto indexed =
      eval::IndexedCollection::Open(*collection, *embedder, flags.runner, context.cancel, show);
  if (!indexed) return FailQuestion(indexed.error());
  auto input = eval::RunCollection(std::move(*collection), *indexed, *embedder, flags.runner,
                                   context.cancel, show);
  if (!input) return FailQuestion(input.error());
  *progress = PhaseProgress(true);  // ends the progress line before the table
  return Show(context, flags, std::move(*input), minimums);
}

int RunEval(Context& context, EvalFlags& flags) {
  if (flags.qrels.empty() == flags.folder.empty()) {
    return FailUsage(
        "name a test collection, 'vade eval FOLDER', or run files, "
        "'vade eval --qrels FILE --run FILE'");
  }
  if (!flags.qrels.empty() && flags.runs.empty()) return FailUsage("--qrels needs a --run");
  if (flags.qrels.empty() && (flags.trec || !flags.runs.empty())) {
    return FailUsage("--run and --trec need --qrels");
  }
  if (flags.trec) return RunTrec(flags);
  const auto minimums = ParseMinimums(flags);
  if (!minimums) return FailUsage(minimums.error().message);
  return flags.qrels.empty() ? RunFolder(context, flags, *minimums)
                             : RunFiles(context, flags, *minimums);
}

void AddTrecFlags(CLI::App& command, EvalFlags& flags) {
  const std::string group = "As trec_eval (with --trec)";
  command.add_flag("--trec", flags.trec, "Print trec_eval 9.0.8's own lines")->group(group);
  command.add_flag("-q", flags.trec_options.per_query, "Per query as well")->group(group);
  command.add_flag("-n", flags.no_summary, "No averages")->group(group);
  command
      .add_flag("-c", flags.trec_options.complete_average,
                "Judged queries missing from the run count as 0")
      ->group(group);
  command.add_flag("-J", flags.trec_options.rank.judged_only, "Remove unjudged documents first")
      ->group(group);
  command
      .add_option("-l", flags.trec_options.rank.relevance_level,
                  "Lowest grade that is relevant (default 1)")
      ->check(CLI::Range(eval::kMinGrade, eval::kMaxGrade))
      ->type_name("GRADE")
      ->group(group);
  command.add_option("-M", flags.trec_options.rank.max_documents, "Documents per query to look at")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->group(group);
  command.add_option("-N", flags.num_docs, "Documents in the collection (for utility)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N")
      ->group(group);
}

}  // namespace

void RegisterEval(CLI::App& app, Context& context) {
  auto flags = std::make_shared<EvalFlags>();
  CLI::App* command = app.add_subcommand("eval", "Measure retrieval on a test collection or runs");
  command->add_option("collection", flags->folder,
                      "BEIR folder, documents with an eval/ folder, or SQuAD 2 JSON");
  command->add_option("--qrels", flags->qrels, "Judgments: TREC, BEIR table or JSON; - is stdin")
      ->type_name("FILE");
  command->add_option("--run", flags->runs, "Run: TREC or JSON (repeatable: compares them)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("-m,--measure", flags->measures,
                   "Measure, as nDCG@10, AP, RR, R@100 (repeatable)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      ->add_option("--min", flags->minimums,
                   "Exit 9 when [SYSTEM:]MEASURE is below VALUE, as ndcg@10=0.7 (repeatable)")
      ->type_name("MEASURE=VALUE")
      ->allow_extra_args(false);
  AddRerankFlags(*command, flags->rerank);
  command->add_option("--compare", flags->compare, "Search modes to compare: lexical,dense,hybrid")
      ->type_name("MODES");
  command->add_option("--mode", flags->mode, "Search mode when nothing is compared");
  command->add_option("--split", flags->split, "Which qrels/SPLIT.tsv (default test)");
  command->add_option("--depth", flags->runner.depth, "Documents per question (default 100)")
      ->check(CLI::Range(1, 10000));
  command
      ->add_option("--candidates", flags->runner.candidates,
                   "Passages each arm gives to fusion (default 4 x depth)")
      ->check(CLI::Range(1, 100000));
  command->add_flag("--lost", flags->runner.lost,
                    "Tell at which stage relevant documents were lost");
  command->add_flag("--no-answers", flags->no_answers, "Do not answer, only retrieve");
  command->add_flag("--no-cache", flags->no_cache, "Index into a temporary store");
  command->add_option("--run-out", flags->run_out, "Write the ranking as a TREC run")
      ->type_name("FILE");
  command->add_option("--html", flags->html, "Write a self-contained report")->type_name("FILE");
  AddTrecFlags(*command, *flags);
  command->callback(
      [&context, flags] { context.run = [&context, flags] { return RunEval(context, *flags); }; });
}

}  // namespace vade::qa
