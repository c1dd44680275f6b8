#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "env/memory_disk.h"
#include "raft/raft_node.h"
#include "sim/raft/oracle.h"

namespace muster::raft::swarm {

struct NetworkWeather {
    Duration delay_min = std::chrono::microseconds(200);
    Duration delay_max = std::chrono::milliseconds(2);  // different delays reorder
    std::uint64_t lost_per_mille = 0;
    std::uint64_t doubled_per_mille = 0;
};

struct DiskWeather {
    Duration delay_min = std::chrono::microseconds(100);
    Duration delay_max = std::chrono::milliseconds(2);
    bool full = false;
};

inline constexpr std::size_t kRoomForAll = SIZE_MAX;

struct ClusterOptions {
    std::size_t hosts = 3;
    std::size_t voters = 3;  // the first of them; the others wait to be added
    std::uint64_t seed = 1;
    RaftNodeOptions node;  // of all of them; identity and members are filled in
};

// Small bounds, so that every path is taken in a short run.
[[nodiscard]] RaftNodeOptions small_bounds();
// So that what goes bad is found while a story lasts.
[[nodiscard]] ScrubOptions frequent_scrub();

// A group in virtual time: hosts with MemoryDisks, a network with weather, and the Oracle that
// looks on after every event. Everything comes from the seed. Hosts are counted from 0 and called
// n1, n2...
class Cluster {
public:
    explicit Cluster(ClusterOptions options);
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    // ---- time
    void run_for(Duration time);
    // Until `done`, looked at after every event. False: not within `limit`, or the oracle
    // complained.
    bool run_until(const std::function<bool()>& done, Duration limit);
    [[nodiscard]] MonoTime now() const {
        return now_;
    }

    // ---- faults
    void start(std::size_t host);
    void crash(std::size_t host, const env::MemoryDisk::Crash& how = {});
    // Its folder is lost. Requires: the host is down.
    void wipe(std::size_t host);
    void pause(std::size_t host);
    void resume(std::size_t host);
    // Its monotonic clock leaps: all its timers are due.
    void leap(std::size_t host);
    // Its clock stands still for so long: all its timers are late.
    void stall_clock(std::size_t host, Duration time);
    // What it takes for 100 ms lasts so many milliseconds, for timers armed from now on.
    void set_clock_rate(std::size_t host, std::int64_t percent);
    // One way.
    void cut(std::size_t from, std::size_t to);
    void isolate(std::size_t host);
    // Nothing passes between those whose bit is set in `side` and the others.
    void split(std::uint64_t side);
    void heal_network();
    [[nodiscard]] NetworkWeather& network() {
        return network_;
    }
    [[nodiscard]] DiskWeather& disk_weather(std::size_t host);
    // No more than so many bytes can be added to what is on the disk now.
    void limit_disk(std::size_t host, std::size_t room);
    // Requires: the host is down.
    [[nodiscard]] env::MemoryDisk& disk(std::size_t host);
    // Sees every message; false: it is dropped.
    std::function<bool(const Message&)> filter;

    // ---- clients
    // Returns the ticket; the answer is in `answers`.
    std::uint64_t propose(std::size_t host, std::size_t bytes = 16);
    std::uint64_t read(std::size_t host);
    std::uint64_t change(std::size_t host, const Membership& wanted);
    std::uint64_t transfer(std::size_t host, std::size_t to);
    std::uint64_t stop(std::size_t host);
    // The host is told that the other one's process has ended.
    void say_gone(std::size_t host, std::size_t other);
    struct Answer {
        bool good = false;
        LogIndex index;
        Error why;
    };
    [[nodiscard]] const Answer* answer(std::uint64_t ticket) const;

    // ---- what there is
    [[nodiscard]] std::size_t hosts() const {
        return hosts_.size();
    }
    [[nodiscard]] bool up(std::size_t host) const;
    [[nodiscard]] bool paused(std::size_t host) const;
    [[nodiscard]] const RaftNode& node(std::size_t host) const;
    // A number of the node's metrics by its name.
    [[nodiscard]] std::int64_t metric(std::size_t host, std::string_view name) const;
    [[nodiscard]] const std::optional<Error>& start_error(std::size_t host) const;
    [[nodiscard]] std::size_t applied_commands(std::size_t host) const;
    // The announced leader with the largest term.
    [[nodiscard]] std::optional<std::size_t> leader() const;
    // All members that the leader knows are up and have applied the same, all there is.
    [[nodiscard]] bool converged() const;
    [[nodiscard]] static NodeId id_of(std::size_t host);
    [[nodiscard]] std::optional<std::size_t> host_of(const NodeId& id) const;

    [[nodiscard]] Oracle& oracle() {
        return oracle_;
    }
    [[nodiscard]] std::uint64_t trace_hash() const {
        return trace_;
    }
    [[nodiscard]] Prng& dice() {
        return dice_;
    }

private:
    struct Life;
    struct Host;
    struct Event {
        enum class Kind : std::uint8_t { timer, disk, message } kind;
        std::size_t host;
        std::uint64_t life;
        env::TimerKey timer;
        MonoTime due;
        std::string bytes;
    };
    using Key = std::pair<MonoTime, std::uint64_t>;

    void schedule(MonoTime at, Event event);
    bool step();
    void deliver(Event event);
    void send(std::size_t from, const NodeId& to, const std::string& bytes);
    [[nodiscard]] Duration within(Duration low, Duration high);
    [[nodiscard]] std::uint64_t next_ticket();

    ClusterOptions options_;
    Prng dice_;
    MonoTime now_{std::chrono::seconds(1)};
    std::uint64_t sequence_ = 0;
    std::map<Key, Event> events_;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::set<std::pair<std::size_t, std::size_t>> cuts_;
    NetworkWeather network_;
    Oracle oracle_;
    std::uint64_t trace_ = 0;
    std::uint64_t tickets_ = 0;
    std::map<std::uint64_t, Answer> answers_;
    std::map<std::uint64_t, LogIndex> reads_;
    std::set<std::uint64_t> others_;  // changes and transfers
};

}  // namespace muster::raft::swarm
