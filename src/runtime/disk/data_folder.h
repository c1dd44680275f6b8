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

// The number of this start of the node: one more than the last one, written durably before it is
// given. Errors: corrupt when the file does not hold a number, io_error.
[[nodiscard]] Result<Incarnation> next_incarnation(const DataFolder& folder);

// The node's name: random at the first start, kept from then on. Errors: corrupt, io_error.
[[nodiscard]] Result<NodeId> stable_node_id(const DataFolder& folder);

}  // namespace muster::runtime
