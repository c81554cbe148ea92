// libzip over a memory buffer, with our own budget on what comes out.
#include "ingest/zip_archive.h"

#include <zip.h>

#include <algorithm>
#include <array>

namespace vade::ingest {
namespace {

struct CloseMember {
  void operator()(zip_file_t* member) const noexcept { zip_fclose(member); }
};

}  // namespace

void ZipArchive::Close::operator()(zip* archive) const noexcept { zip_discard(archive); }

Result<ZipArchive> ZipArchive::Open(std::string_view bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  std::unique_ptr<zip, Close> archive(
      source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!archive) {
    std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (source != nullptr) zip_source_free(source);
    return Fail(ErrorCode::kCorruptData, "broken zip archive: " + why);
  }
  zip_error_fini(&error);
  ZipArchive opened(std::move(archive), bytes.size());
  VADE_CHECK_OK(opened.ReadNames());
  return opened;
}

Result<void> ZipArchive::ReadNames() {
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  if (count < 0 || static_cast<uint64_t>(count) > kMaxEntries) {
    return Fail(ErrorCode::kCorruptData, "zip archive with " + std::to_string(count) +
                                             " members (limit " + std::to_string(kMaxEntries) +
                                             ")");
  }
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    if (name != nullptr) names_.emplace_back(name);
  }
  std::sort(names_.begin(), names_.end());
  const auto twice = std::adjacent_find(names_.begin(), names_.end());
  if (twice != names_.end()) {
    return Fail(ErrorCode::kCorruptData, "zip archive holds a member twice");
  }
  return {};
}

bool ZipArchive::Contains(const std::string& name) const {
  return std::binary_search(names_.begin(), names_.end(), name);
}

Result<std::string> ZipArchive::Read(const std::string& name) {
  const zip_int64_t index = zip_name_locate(archive_.get(), name.c_str(), ZIP_FL_ENC_RAW);
  if (index < 0) return Fail(ErrorCode::kNotFound, name + ": not in the archive");
  const std::unique_ptr<zip_file_t, CloseMember> member(
      zip_fopen_index(archive_.get(), static_cast<zip_uint64_t>(index), 0));
  if (!member) {
    const int code = zip_error_code_zip(zip_get_error(archive_.get()));
    if (code == ZIP_ER_NOPASSWD || code == ZIP_ER_ENCRNOTSUPP) {
      return Fail(ErrorCode::kUnsupported, "password protected");
    }
    return Fail(ErrorCode::kCorruptData, name + ": " + zip_strerror(archive_.get()));
  }
  std::string content;
  std::array<char, 65536> buffer;
  while (true) {
    const zip_int64_t got = zip_fread(member.get(), buffer.data(), buffer.size());
    if (got < 0) {
      return Fail(ErrorCode::kCorruptData, name + ": " + zip_file_strerror(member.get()));
    }
    if (got == 0) return content;
    inflated_bytes_ += static_cast<uint64_t>(got);
    if (inflated_bytes_ > kMaxInflatedBytes ||
        inflated_bytes_ > kFreeBytes + kMaxRatio * archive_bytes_) {
      return Fail(ErrorCode::kResource, "zip bomb: " + name + " inflates beyond " +
                                            std::to_string(inflated_bytes_) + " bytes");
    }
    content.append(buffer.data(), static_cast<size_t>(got));
  }
}

}  // namespace vade::ingest
