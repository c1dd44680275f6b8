#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <muster/muster.hpp>

namespace muster::demo {

// One provider as the registry tells it.
struct Seen {
    std::string name;
    std::string address;
    std::string zone;
    std::string version;
    std::string pid;
    std::uint64_t since_ns = 0;  // when this consumer was told
};

struct ServiceSeen {
    std::uint64_t version = 0;
    bool stale = false;
    std::uint64_t told_ns = 0;
    std::map<std::string, Seen> providers;  // by name
};

struct Change {
    std::uint64_t at_ns = 0;
    std::string text;
    std::optional<std::uint64_t> latency_us;  // since it was caused
};

// What this consumer is told through the SDK, and how long after it was caused. Any thread.
class Sightings {
public:
    static constexpr std::size_t kChangesKept = 200;

    // On the SDK's thread, as soon as the bytes have arrived.
    void on_list(const std::string& service, const sdk::List& list);

    // From now on the next appearing or disappearing of `name` is measured from `caused_ns`. Call
    // it before the cause: its callback may be faster than the return of a system call.
    void expect(const std::string& name, std::uint64_t caused_ns);

    [[nodiscard]] std::map<std::string, ServiceSeen> services() const;
    // The newest last.
    [[nodiscard]] std::deque<Change> changes() const;

    // Waits until `name` of `service` is (not) there in `version` (empty: any).
    struct Wish {
        std::string service;
        std::string name;
        std::string version;
        bool there = true;
    };
    [[nodiscard]] bool await(const Wish& wish, int patience_ms) const;

private:
    void note(std::uint64_t at_ns, const std::string& name, std::string text);

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::map<std::string, ServiceSeen> services_;
    std::map<std::string, std::uint64_t> expected_;
    std::deque<Change> changes_;
};

}  // namespace muster::demo
