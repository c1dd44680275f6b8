#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <variant>

#include "base/time.h"
#include "model/cluster.h"
#include "model/datum.h"
#include "msg/session_data.h"

namespace muster::data {

// How much is on its way to one session, by bulk_of() of what is told, a removal as 1.
struct TellLimits {
    // In one message. A longer list goes in pieces; a longer change, which is no longer than what a
    // session wrote at once, alone.
    std::size_t batch = 2500;
    // Sent, and not said to be taken: at most one message more. Less than what a link holds unsent.
    std::size_t window = 8000;
    // What waits for that. More, or nothing taken for so long: the stream ends.
    std::size_t waiting = 1'000'000;
    Duration patience = std::chrono::seconds(5);
};

// What one session is told, in order, no more of it at once than it takes: a session that begins
// asks for lists of many MiB in one message, which no queue of a link would hold.
//
// Loop thread only. Bounds: TellLimits. A stream that ends shows the session a gap, with or without
// further messages (DataHeartbeat::last_seq), so it begins another one and says what it holds.
class TellStream {
public:
    using Told = std::variant<DatumChange, DatumSnapshot>;

    explicit TellStream(TellLimits limits) : limits_(limits) {}

    // Begins the session's stream `number`, of which nothing was told.
    void begin(std::uint64_t number);

    // False: there is no room for it, and the stream ends after what waits, or, when nothing was
    // taken for too long, now. One that has ended takes no more.
    bool push(Told told, MonoTime now);

    // The next message to send, but for the session's life; nothing: all is sent, or more is on its
    // way than may be.
    [[nodiscard]] std::optional<msg::ChangeBatch> next();

    // The session has taken everything up to `seq`. False: that is no news.
    bool taken(std::uint64_t number, std::uint64_t seq, MonoTime now);

    [[nodiscard]] std::uint64_t number() const {
        return number_;
    }
    // Of the last message; one more when the stream has ended, and all that waited is sent.
    [[nodiscard]] std::uint64_t last_seq() const {
        return last_seq_ + (ended_ && waiting_.empty() ? 1 : 0);
    }
    // By bulk, what waits for the session to take what is on its way.
    [[nodiscard]] std::size_t waiting() const {
        return waiting_.empty() ? 0 : waiting_bulk_;
    }

private:
    struct Waiting {
        Told told;
        std::size_t bulk = 0;
    };

    std::size_t add_piece(msg::ChangeBatch& batch, DatumSnapshot& list);

    TellLimits limits_;
    std::uint64_t number_ = 0;
    std::uint64_t last_seq_ = 0;
    bool ended_ = false;

    std::deque<Waiting> waiting_;
    std::size_t waiting_bulk_ = 0;
    std::size_t cut_ = 0;  // so many items of the list that is first are sent

    // The messages the session is to say it took, and the bulk of what was sent up to each since
    // the one before.
    std::deque<std::pair<std::uint64_t, std::size_t>> asked_;
    std::size_t unasked_bulk_ = 0;  // sent since the last of them
    std::size_t sent_bulk_ = 0;     // not said to be taken, with that
    MonoTime moved_;                // when it took something last, or began to wait
};

}  // namespace muster::data
