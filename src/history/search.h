#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "history/recorder.h"
#include "history/ring.h"

namespace muster::history {

// One question to a ring, answered step by step so that what is to be written waits for one block
// at most. From the newest segment to the oldest; those whose index says that they have nothing of
// the service are not read. The ring may be written between steps. Bounds: `bytes_max` read and
// unpacked, then the answer says how far it reaches.
class Search {
public:
    Search(Query query, std::uint64_t bytes_max)
        : query_(std::move(query)), bytes_left_(bytes_max) {}

    // Reads a segment or a block; true: it is done.
    bool step(Ring& ring);

    // Requires: done.
    [[nodiscard]] Answer take() {
        return std::move(answer_);
    }

private:
    bool open_next(Ring& ring);
    void read_block(const BlockPlace& place);
    void note_loss(const HistoryLoss& lost);
    [[nodiscard]] bool may_want(std::int64_t first_ms, std::int64_t last_ms) const;
    [[nodiscard]] bool wanted(const HistoryRecord& record) const;
    bool spend(std::uint64_t bytes);
    bool finish(std::int64_t reaches_ms);

    Query query_;
    std::uint64_t bytes_left_;
    std::uint64_t below_ = std::numeric_limits<std::uint64_t>::max();  // segments not looked at
    std::string segment_;
    std::vector<BlockPlace> blocks_;  // of it, not looked at; the newest is the last
    std::int64_t looked_ms_ = std::numeric_limits<std::int64_t>::max();  // all since is looked at
    Answer answer_;
};

}  // namespace muster::history
