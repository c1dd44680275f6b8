#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace muster::store {

// Removals of publications that closed or fell silent pass until, within one window, both more than
// `count` and more than `percent` of what lived went: one killed process is told at once, half a
// fleet that vanishes is looked at twice. Polite leaving is never asked about.
struct BrakeLimits {
    Duration window = std::chrono::seconds(10);
    std::size_t count = 10;
    std::size_t percent = 50;  // of those that lived when the window began; 100: never brakes
};

// Counts removals by key (a service, a session, the cluster) and says which may pass.
//
//   free --count and percent passed--> braking --a window without anything asked--> free
//
// While braking everything of the key is held: half of a storm told late is worse than all of it
// held. What becomes of the held is the caller's. Loop thread only. Bounds: keys are forgotten one
// window after their last removal.
class RemovalBrake {
public:
    explicit RemovalBrake(BrakeLimits limits) : limits_(limits) {}

    // Whether `removals` more of the `living` publications of `key` may go now. What may is counted
    // as gone.
    [[nodiscard]] bool admit(const std::string& key, std::size_t removals, std::size_t living,
                             MonoTime now);

    // The same one by one: how many of `removals` may go before the brake holds the rest.
    [[nodiscard]] std::size_t admit_some(const std::string& key, std::size_t removals,
                                         std::size_t living, MonoTime now);

    [[nodiscard]] bool braking(const std::string& key) const;

    // How a key came to brake.
    struct Trip {
        MonoTime since;
        std::size_t gone = 0;  // of them, the one that was too many included
        std::size_t lived = 0;
    };
    // Nothing while it does not brake.
    [[nodiscard]] std::optional<Trip> trip(const std::string& key) const;
    // That as a sentence: "21 of 200 clients closed or fell silent within 10 s".
    [[nodiscard]] std::string why(const Trip& trip, std::string_view what) const;

    // An operator confirmed that they are gone, or released the brake: it counts anew.
    void release(const std::string& key) {
        keys_.erase(key);
    }

    // Forgets keys whose window is over.
    void sweep(MonoTime now);

    // After a pause of our own: windows go on where they stood.
    void extend(Duration gap);

    [[nodiscard]] std::size_t keys_braking() const;
    [[nodiscard]] std::size_t keys() const {
        return keys_.size();
    }

private:
    struct Passed {
        MonoTime at;
        std::size_t removals = 0;
    };
    struct Key {
        std::deque<Passed> passed;
        std::size_t sum = 0;  // of passed
        std::optional<Trip> trip;
        MonoTime last_asked;
    };

    void forget_old(Key& key, MonoTime now) const;
    [[nodiscard]] bool too_many(std::size_t gone, std::size_t lived) const;

    BrakeLimits limits_;
    std::map<std::string, Key> keys_;
};

}  // namespace muster::store
