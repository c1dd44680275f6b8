#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muster::history {

// The folder of the ring's files. Calls take as long as the disk takes; one thread.
class Folder {
public:
    struct File {
        std::string name;
        std::uint64_t bytes = 0;
    };
    virtual ~Folder() = default;

    // Sorted by name; none: there is no folder yet. Errors: io_error.
    [[nodiscard]] virtual Result<std::vector<File>> list() = 0;

    // Up to `bytes_max` from `offset` on. Errors: not_found, io_error.
    [[nodiscard]] virtual Result<std::string> read(std::string_view name, std::uint64_t offset,
                                                   std::size_t bytes_max) = 0;

    // Appends, making folder and file when missing. They are with the system then, which outlives
    // this process; sync() brings them to the disk. On failure the file is as before, as far as the
    // disk lets us. Errors: io_error.
    [[nodiscard]] virtual Result<void> append(std::string_view name, std::string_view bytes) = 0;
    [[nodiscard]] virtual Result<void> sync(std::string_view name) = 0;

    // Missing files are no error. Errors: io_error.
    [[nodiscard]] virtual Result<void> remove(std::string_view name) = 0;

    // What others may still write where the folder is, above what is to be left to them.
    [[nodiscard]] virtual std::uint64_t spare_bytes() = 0;
};

}  // namespace muster::history
