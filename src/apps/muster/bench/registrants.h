#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "apps/muster/bench/audience.h"
#include "apps/muster/bench/crowd.h"
#include "base/result.h"
#include "base/time.h"

namespace muster::cli::bench {

struct EntryName {
    std::uint32_t service = 0;
    std::uint32_t entry = 0;
};

// Those of a run who register: says states of entries over a crowd's connections, takes the
// answers, and remembers what has to be taken back at the end. A request carries at most what it is
// given; how many are open is up to who uses it.
class Registrants {
public:
    // An answered request.
    struct Answer {
        std::size_t conn = 0;
        bool leaving = false;
        Duration took{};
    };

    Registrants(const RunNames& names, Crowd& crowd) : names_(names), crowd_(crowd) {}

    void on_answer(std::function<void(const Answer&)> call) {
        on_answer_ = std::move(call);
    }

    // Registers the entries, or says a state of them that is one version newer; in one request. Its
    // answer took the time since it was `due`, which is now unless it is given.
    void say(std::size_t conn, std::span<const EntryName> entries,
             std::optional<Duration> due = {});
    // Takes them back politely, in one request.
    void leave(std::size_t conn, std::span<const EntryName> entries,
               std::optional<Duration> due = {});

    // That was said last; zero: none.
    [[nodiscard]] std::uint32_t version_of(const EntryName& entry) const;

    // The entry is gone already, with its connection.
    void forget(const EntryName& entry);

    // Returns whether the answer was to one of these requests.
    bool take(std::uint32_t request, const Result<msg::RequestReply>& reply, Duration at);

    [[nodiscard]] std::size_t open_requests() const {
        return open_.size();
    }
    // Whether an answer may still come: the connection of an open request is open.
    [[nodiscard]] bool waits() const;
    // Entries registered and not taken back (their answer may be on its way).
    [[nodiscard]] std::uint64_t alive() const;

    // Takes all of them back, over the connection that has them or, where that is closed, over the
    // first open one; run the crowd while waits(). Sends no more than a batch of each connection.
    void leave_some();

    // Items that the server refused, and its first sentence.
    [[nodiscard]] std::uint64_t refused() const {
        return refused_;
    }
    [[nodiscard]] const std::string& why_refused() const {
        return why_refused_;
    }

    // A number for a request that nobody of this crowd used yet.
    [[nodiscard]] msg::RequestId next_request() {
        return msg::RequestId(++requests_);
    }

private:
    struct State {
        std::uint32_t conn = 0;
        std::uint32_t version = 0;
        bool alive = false;
    };
    struct Open {
        std::size_t conn = 0;
        std::vector<EntryName> leaving;  // empty: registering
        std::optional<Duration> due;     // set once it is sent
    };

    State& state_of(const EntryName& entry);
    void refuse(const Error& error);
    [[nodiscard]] PublicationPtr publication_of(const EntryName& entry,
                                                std::uint32_t version) const;
    void send(std::size_t conn, const msg::ClientMessage& message, Open open);
    void say_again(std::size_t conn, std::span<const EntryName> entries);
    [[nodiscard]] std::optional<std::size_t> first_open() const;

    const RunNames& names_;
    Crowd& crowd_;
    std::function<void(const Answer&)> on_answer_;
    std::vector<std::vector<State>> states_;  // by service and entry
    std::unordered_map<std::uint64_t, Open> open_;
    std::uint64_t requests_ = 0;
    std::uint64_t refused_ = 0;
    std::string why_refused_;
};

}  // namespace muster::cli::bench
