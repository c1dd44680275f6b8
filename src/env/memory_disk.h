#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "env/disk.h"

namespace muster::env {

// A data folder in memory for tests and the simulator: operations take effect when they are pumped
// by hand, a crash forgets the rest, and the bytes can be torn, cut and flipped. It outlives the
// node whose folder it is. Not bounded: whoever writes to it is.
class MemoryDisk final : public Disk {
public:
    // How far the queued operations got when the power went.
    struct Crash {
        std::size_t operations = 0;  // so many took effect, whether or not it was reported
        std::size_t torn_bytes = 0;  // of the next one, when it is an append, so many bytes
        bool torn_as_zeros = false;  // the rest of that append is there as zero bytes
    };

    // Whom completions are told. Requires: set before the first pump.
    void attach(DiskTarget& target);

    [[nodiscard]] Result<std::string> read(std::string_view path) override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view folder) override;
    void read_part(DiskOpId op, std::string_view path, std::uint64_t offset,
                   std::size_t bytes_max) override;
    void append(DiskOpId op, std::string_view path, std::string bytes) override;
    void replace(DiskOpId op, std::string_view path, std::string bytes) override;
    void remove(DiskOpId op, std::string_view path) override;

    // ---- the hand on the pump

    [[nodiscard]] std::size_t queued() const;

    // Whether the oldest operation is a read_part().
    [[nodiscard]] bool reads_next() const;

    // Carries out the oldest operation and reports it. False: there was none.
    bool pump_one();

    // Until nothing is queued, what the reports lead to included. Returns how many.
    std::size_t pump_all();

    // Power off: what is queued beyond `crash` is forgotten and nobody is told.
    void crash(const Crash& crash);

    // The next `count` pumped operations fail with `error`; a failing append still leaves the first
    // `bytes_written` of its bytes in the file.
    void fail_next(std::size_t count, Error error, std::size_t bytes_written = 0);

    // A full disk: an operation fails that would have all files together take more; an append
    // leaves what fitted. Counts what is there already.
    void set_capacity(std::size_t bytes);
    [[nodiscard]] std::size_t used() const;

    // ---- the bytes themselves

    [[nodiscard]] const std::map<std::string, std::string, std::less<>>& files() const;
    void put(std::string path, std::string bytes);
    void erase(std::string_view path);

    // Requires: the file exists and has that byte.
    void flip_bit(std::string_view path, std::size_t offset, unsigned bit);
    void cut(std::string_view path, std::size_t size);

private:
    enum class Kind : std::uint8_t { append, replace, remove, read };
    struct Operation {
        Kind kind = Kind::append;
        DiskOpId id;
        std::string path;
        std::string bytes = {};
        std::uint64_t offset = 0;  // of a read
        std::size_t bytes_max = 0;
    };

    void carry_out(Operation& operation);
    void report_read(const Operation& operation);
    [[nodiscard]] bool fits(Operation& operation) const;

    DiskTarget* target_ = nullptr;
    std::map<std::string, std::string, std::less<>> files_;
    std::deque<Operation> queue_;
    std::size_t failing_ = 0;
    Error failure_;
    std::size_t failing_bytes_ = 0;
    std::size_t capacity_ = SIZE_MAX;
};

}  // namespace muster::env
