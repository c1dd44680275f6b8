#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "model/ids.h"
#include "runtime/loop/fd.h"

namespace muster::runtime {

// A node's data folder, held by this process alone: made when missing, locked (flock on its file
// LOCK) until the object goes or the process ends, however it ends.
class DataFolder {
public:
    // Errors: conflict when another process holds it (with the folder, that process and what to
    // change), io_error.
    [[nodiscard]] static Result<DataFolder> open(const std::filesystem::path& path);

    [[nodiscard]] const std::filesystem::path& path() const {
        return path_;
    }

private:
    DataFolder(std::filesystem::path path, Fd lock)
        : path_(std::move(path)), lock_(std::move(lock)) {}

    std::filesystem::path path_;
    Fd lock_;
};

}  // namespace muster::runtime
