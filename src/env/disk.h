#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"

namespace muster::env {

// Names one disk operation of one target; the target chooses the numbers.
using DiskOpId = Id<struct DiskOpIdTag, std::uint64_t>;

// Who is told how an operation ended: exactly once for each, in their order.
class DiskTarget {
public:
    virtual ~DiskTarget() = default;
    virtual void on_disk(DiskOpId op, const Result<void>& outcome) = 0;
    // How a read_part() ended; only of those who ask for one.
    virtual void on_read(DiskOpId /*op*/, const Result<std::string>& /*bytes*/) {}
};

// One node's data folder. Reads are synchronous and meant for start-up; writes are carried out in
// the order of the calls and reported, once they are durable, by on_disk() (never from within the
// call). Paths are relative, '/' separates. Runtime: files and one I/O thread; simulator: memory
// that forgets what was not synced, tears and flips. Loop thread only.
class Disk {
public:
    virtual ~Disk() = default;

    // Errors: not_found, io_error.
    [[nodiscard]] virtual Result<std::string> read(std::string_view path) = 0;

    // At most so many bytes from `offset` on, fewer at the end of the file, as the medium has them
    // and not a cache as far as that can be told. In its turn among the writes; answered by
    // on_read(). Errors: not_found, io_error.
    virtual void read_part(DiskOpId op, std::string_view path, std::uint64_t offset,
                           std::size_t bytes_max) = 0;

    // Names of the files in the folder, sorted; empty when there is none.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(std::string_view folder) = 0;

    // Appends, making the file when missing, and syncs.
    virtual void append(DiskOpId op, std::string_view path, std::string bytes) = 0;

    // Replaces the file by one with `bytes`: old or new is found after a crash, never a mixture.
    virtual void replace(DiskOpId op, std::string_view path, std::string bytes) = 0;

    // Missing files are no error.
    virtual void remove(DiskOpId op, std::string_view path) = 0;
};

}  // namespace muster::env
