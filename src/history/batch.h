#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "history/recorder.h"

namespace muster::history {

// Records in the order they were noted, as the bytes that are compressed and kept (docs/internals/
// history.md). Bounded by its owner, who hands it over when it is large enough.
class Batch {
public:
    void add(const Note& note);

    [[nodiscard]] bool empty() const {
        return records_ == 0;
    }
    [[nodiscard]] const std::string& bytes() const {
        return bytes_;
    }
    [[nodiscard]] std::uint32_t records() const {
        return records_;
    }
    [[nodiscard]] std::int64_t first_ms() const {
        return first_ms_;
    }
    [[nodiscard]] std::int64_t last_ms() const {
        return last_ms_;
    }

private:
    std::string bytes_;
    std::string rest_;  // of one record; kept for its memory
    std::uint32_t records_ = 0;
    std::int64_t first_ms_ = 0;     // the earliest: the clock may have been set back
    std::int64_t last_ms_ = 0;      // the latest
    std::int64_t previous_ms_ = 0;  // of the record before
};

// What is told of each record: its service's path(), and the rest, which is read only when it is
// asked for.
class RecordView {
public:
    RecordView(std::int64_t at_ms, std::string_view service, std::string_view rest)
        : at_ms_(at_ms), service_(service), rest_(rest) {}

    [[nodiscard]] std::int64_t at_ms() const {
        return at_ms_;
    }
    [[nodiscard]] std::string_view service() const {
        return service_;
    }
    [[nodiscard]] std::string_view rest() const {
        return rest_;
    }
    // Errors: corrupt.
    [[nodiscard]] Result<HistoryRecord> read() const;

private:
    std::int64_t at_ms_;
    std::string_view service_;
    std::string_view rest_;
};

// Shows all records of a batch, in their order. Errors: corrupt (those before were shown).
[[nodiscard]] Result<void> for_each_record(std::string_view batch,
                                           const std::function<void(const RecordView&)>& show);

}  // namespace muster::history
