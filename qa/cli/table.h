// Table: columns of text for a terminal.
#pragma once

#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vade::qa {

/// Lines up columns of escaped text; `right` names the columns that hold numbers.
class Table {
 public:
  Table(std::vector<std::string> header, std::set<size_t> right) : right_(std::move(right)) {
    Add(std::move(header));
  }
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void Print(std::ostream& out) const;

 private:
  std::set<size_t> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace vade::qa
