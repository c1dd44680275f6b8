#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "doors/bolt/bolt_port.h"
#include "doors/native/native_door.h"
#include "sim/deltas/book.h"
#include "sim/deltas/byte_client.h"
#include "sim/deltas/byte_net.h"
#include "sim/world/registry.h"

namespace muster::sim {

struct DeltaRunOptions {
    std::uint64_t seed = 1;
    std::uint64_t changes = 25'000;
    // Connections of publishers break, too. What they say then has new timestamps, of which only
    // sessions hear that ask for the list later, so a subscriber between two sessions may be told a
    // delta that does not fit. Otherwise every delta must.
    bool publishers_return = false;
};

// How a run ended, and what was told in it.
struct DeltaOutcome {
    std::string failure;  // empty: passed
    std::uint64_t changes = 0;
    std::uint64_t settled = 0;  // points at which every view was compared with the truth
    std::uint64_t views_compared = 0;
    std::uint64_t lists_shown = 0;
    std::uint64_t deltas = 0;  // pushes told to clients
    std::uint64_t wholes = 0;
    std::uint64_t long_wholes = 0;  // of kLong publications or more
    std::uint64_t packed = 0;       // of both
    std::uint64_t bytes = 0;        // of both
    std::uint64_t connections_broken = 0;
    std::uint64_t bytes_lost = 0;
    std::uint64_t connects = 0;
    std::uint64_t digest_mismatches = 0;
    std::uint64_t unfit = 0;         // deltas that did not fit what a client held
    std::uint64_t bad_messages = 0;  // what a client could not decode
    std::uint64_t hash = 0;          // of everything that was shown

    // Sums all but failure and hash.
    void add(const DeltaOutcome& other);
    // Empty: of every kind much was told, for so many changes; to be asked of some runs together.
    [[nodiscard]] std::string lacking() const;
    [[nodiscard]] std::string text() const;
};

// Random changes of lists of many lengths, told to subscribers whose connections break, whose
// acknowledgements are slow and who come back with what they hold. Two sessions, a data server and
// a meta with the real roles; the real port, door and codec in front of each session, the real
// client behind the same codec, bytes between. What comes from the seed:
//
//   fill the lists, then again and again:
//     storm: changes, connections that break or stand still, messages between nodes that get lost
//     settle: no more of that; every view must become what is published: ids, contents, digest
//
// In between, no version of a view ever falls, and one version of a list has one content.
class DeltaRun {
public:
    explicit DeltaRun(const DeltaRunOptions& options);
    ~DeltaRun();
    DeltaRun(const DeltaRun&) = delete;
    DeltaRun& operator=(const DeltaRun&) = delete;

    [[nodiscard]] DeltaOutcome run();

private:
    static constexpr std::size_t kPublishers = 4;

    struct Front;
    // What one storm is like.
    struct Weather {
        std::uint64_t changes = 0;
        Duration pace{};
        std::uint64_t breaks = 0;  // per 10,000 changes
        std::uint64_t stalls = 0;
        std::uint64_t sweeps = 0;
        Duration stall_max{};
    };

    void start();
    void fill();
    void add_clients();
    [[nodiscard]] Weather draw_weather();
    void storm();
    void settle();
    void pass(Duration how_long);
    void fail(std::string why);

    void change_one(Book::ServiceBook& service);
    void sweep(Book::ServiceBook& service);
    void publish(Book::ServiceBook& service);
    void update(Book::ServiceBook& service, std::size_t at);
    void withdraw(Book::ServiceBook& service, std::size_t at);
    [[nodiscard]] client::PublicationSpec spec(const Service& service);
    [[nodiscard]] ByteClient& some_client();
    void break_connection();
    void stall_connection(Duration at_most);

    void on_list(std::size_t client, const client::ListKey& key, const ServiceView& view);
    // Empty: every view is what is published.
    [[nodiscard]] std::string differs();
    [[nodiscard]] bool shows(const Publication& shown, const Book::Entry& entry) const;
    [[nodiscard]] std::string differs(const ByteClient& subscriber,
                                      const client::ListKey& key) const;
    void sum_up();

    DeltaRunOptions options_;
    Prng prng_;
    Scheduler scheduler_;
    Trace trace_{false};
    Cuts cuts_;
    Network network_;
    Links links_;
    Pipes pipes_;
    Registry registry_;
    ByteNet net_;
    Book book_;
    std::vector<std::unique_ptr<Front>> fronts_;
    std::vector<std::unique_ptr<ByteClient>> publishers_;
    std::vector<std::unique_ptr<ByteClient>> subscribers_;
    std::vector<std::vector<client::ListKey>> subscribed_;      // by subscriber
    std::vector<std::map<client::ListKey, Version>> versions_;  // by subscriber
    std::uint64_t contents_ = 0;
    DeltaOutcome outcome_;
};

// The run of a seed: publishers return in those of odd ones.
[[nodiscard]] DeltaOutcome run_deltas(std::uint64_t seed);

}  // namespace muster::sim
