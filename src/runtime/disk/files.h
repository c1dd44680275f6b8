#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Durable operations on files, each done when its bytes and names are on the disk. Any thread; one
// at a time for one file.
namespace muster::runtime {

// Where `path` (relative, '/' separates) lies below `folder`. Errors: invalid_argument when it is
// empty, absolute, leaves the folder, holds a NUL or ends like our temporary files.
[[nodiscard]] Result<std::filesystem::path> path_below(const std::filesystem::path& folder,
                                                       std::string_view path);

// Errors: not_found, io_error.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& file);

// At most so many bytes from `offset` on, read anew where the system lets us. Errors: not_found,
// io_error.
[[nodiscard]] Result<std::string> read_file_part(const std::filesystem::path& file,
                                                 std::uint64_t offset, std::size_t bytes_max);

// Names of the plain files in `folder`, sorted, without our temporary ones. Errors: io_error.
[[nodiscard]] Result<std::vector<std::string>> list_files(const std::filesystem::path& folder);

// Appends all parts and syncs once; makes the file and its folders when missing. On failure the
// file is cut back to what it was, as far as the disk lets us. Errors: io_error.
[[nodiscard]] Result<void> append_durably(const std::filesystem::path& file,
                                          const std::vector<std::string_view>& parts);

// Old or new is found after a crash, never a mixture. Errors: io_error.
[[nodiscard]] Result<void> replace_durably(const std::filesystem::path& file,
                                           std::string_view bytes);

// A missing file is no error. Errors: io_error.
[[nodiscard]] Result<void> remove_durably(const std::filesystem::path& file);

// Makes the folder and those above it. Errors: io_error.
[[nodiscard]] Result<void> make_folder_durably(const std::filesystem::path& folder);

}  // namespace muster::runtime
