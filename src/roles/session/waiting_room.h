#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "env/net.h"
#include "msg/client.h"
#include "msg/session_data.h"
#include "roles/session/query_face.h"

namespace muster::session {

// What waits when more is asked than can be done at once, in the order it is done. Leaving and
// acknowledgements are of no class: they are carried out as they come.
enum class Urgency : std::uint8_t { registering, subscribing, asking };
inline constexpr std::array<std::string_view, 3> kUrgencyNames{"register", "subscribe", "query"};

struct WaitingOptions {
    // So much is carried out as it comes in a turn of the loop, at most, and then so much of what
    // waits: items of requests, and one for each KiB of publications.
    std::size_t at_once = 256;
    std::size_t registers_max = 16'384;  // so much waits at most: of it the oldest is done then
    std::size_t subscribes_max = 16'384;
    std::size_t queries_max = 4096;  // more are refused
};

// Requests of clients that wait for their turn. While little is asked nothing waits: a request
// passes when nothing of its class or a higher one waits and fewer than at_once passed in this turn
// of the loop. Else it waits, and what may pass comes before it: leaving of others always, so that
// a session that is asked too much still tells at once who left; then registering, subscribing,
// queries.
//
//   passes() -> carried out            put() -> begin_turn(), take()* -> carried out
//
// The owner puts what did not pass. Once wants_turn(), it takes what waits at the end of the loop's
// turn: when all that the sockets hold by then was read. Not at the end of each turn, so that a
// session with little to do does nothing for it: what passed is counted over turns until it is half
// of at_once, and the other half may pass in what is left of that turn.
//
// 1. What one connection says of publications keeps its order, and what it says of subscriptions
//    and watches too: nothing passes, or is taken, before what waits of the same kind and
//    connection. So leaving waits behind the same connection's registering, no other.
// 2. Nothing starves: in each turn at least one request of each class that waits is taken, and of
//    subscribing at least an eighth, of queries a sixteenth of at_once. So who waits in place n is
//    taken after n turns at the latest.
// 3. A connection that closes leaves its subscribing and asking undone. When it waits with changes
//    of publications, the closing waits behind them.
//
// 4. A connection of which a quarter of at_once waits is to be read no more until half of that is
//    left (is_crowding(), take_relieved()).
//
// Loop thread only. Bounds: WaitingOptions; beyond them take_excess() gives what must be done at
// once, so that the loop reads nothing meanwhile, and queries are to be refused (is_full()).
class WaitingRoom {
public:
    struct Said {
        env::ConnId conn;
        msg::ClientMessage message;
    };
    struct Closing {
        env::ConnId conn;
    };
    struct Question {
        std::uint64_t token = 0;
        msg::ListServices query;
        QueryPort* port = nullptr;
    };
    using Request = std::variant<Said, Closing, Question>;

    explicit WaitingRoom(const WaitingOptions& options) : options_(options) {}

    // Whether it is to be carried out now; else it must be put.
    [[nodiscard]] bool passes(env::ConnId conn, const msg::ClientMessage& message);
    [[nodiscard]] bool question_passes();
    // Whether the connection may be forgotten now; else its closing waits. Told once.
    [[nodiscard]] bool closing_passes(env::ConnId conn);

    void put(env::ConnId conn, const msg::ClientMessage& message);
    void put(Question question);

    // Whether the connection is to be read no more; told once, until it is relieved.
    [[nodiscard]] bool is_crowding(env::ConnId conn);
    // Those that may be read on since the last call.
    [[nodiscard]] std::vector<env::ConnId> take_relieved() {
        return std::exchange(relieved_, {});
    }

    // The oldest of a class that is over its bound; none: none is.
    [[nodiscard]] std::optional<Request> take_excess();

    // Whether begin_turn() is to be called at the end of this turn of the loop.
    [[nodiscard]] bool wants_turn() const {
        return passed_ >= (options_.at_once + 1) / 2 || !empty();
    }
    void begin_turn();
    // What is to be carried out in this turn; none: enough.
    [[nodiscard]] std::optional<Request> take();

    [[nodiscard]] bool empty() const;
    // Whether a question more is too many.
    [[nodiscard]] bool is_full() const;

    void write_metrics(MetricsWriter& writer) const;
    // Queries refused because too many wait.
    void note_refused() {
        refused_.add();
    }

private:
    struct Entry {
        Request request;
        std::size_t cost = 1;
    };
    // What waits of one connection.
    struct Own {
        std::array<std::size_t, kUrgencyNames.size()> waiting{};
        std::size_t cost = 0;
        bool stopped = false;  // not read
        bool closing = false;
    };
    struct Line {
        std::deque<Entry> entries;
        std::size_t cost = 0;
        bool served = false;  // in this turn
        Counter waited;
        Counter excess;
    };

    [[nodiscard]] Line& line(Urgency urgency) {
        return lines_[static_cast<std::size_t>(urgency)];
    }
    [[nodiscard]] std::size_t max_of(std::size_t line) const;
    [[nodiscard]] bool has_room(Urgency urgency, std::size_t cost);
    [[nodiscard]] std::optional<Urgency> behind(env::ConnId conn,
                                                const msg::ClientMessage& message) const;
    void add(Urgency urgency, Request request, std::size_t cost);
    [[nodiscard]] bool may_take(std::size_t line) const;
    [[nodiscard]] std::optional<Request> pop(std::size_t line);
    [[nodiscard]] bool is_live(std::size_t line, const Entry& entry);

    WaitingOptions options_;
    std::array<Line, kUrgencyNames.size()> lines_;
    std::unordered_map<env::ConnId, Own> own_;  // of connections of which something waits
    std::vector<env::ConnId> relieved_;
    std::size_t passed_ = 0;  // since the last turn that was wanted
    std::size_t taken_ = 0;   // in this turn
    Counter refused_;
    Counter stopped_;
};

}  // namespace muster::session
