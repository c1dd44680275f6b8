#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/time.h"

namespace muster::session {

// A token bucket each for many: `burst` at once, and `per_second` from then on.
struct RateLimit {
    std::uint64_t per_second = 0;  // zero: no limit; at most 10^9
    std::uint64_t burst = 1;       // at least one; at most 10^9
};

// Buckets by name, as the generic cell rate algorithm (ITU-T I.371, annex A): of each only the time
// at which it is full again is kept, and nothing once that is past. Loop thread only. Bounds: one
// entry for each that took something lately, kNamesMax; the others share one.
class TokenBuckets {
public:
    static constexpr std::size_t kNamesMax = 100'000;

    explicit TokenBuckets(const RateLimit& limit);

    // How long until `name` has a token; zero: it has one.
    [[nodiscard]] Duration until_token(const std::string& name, MonoTime now) const;
    // Takes one. An empty bucket stays empty.
    void take(const std::string& name, MonoTime now);
    // Forgets the full ones.
    void sweep(MonoTime now);

    [[nodiscard]] std::size_t size() const {
        return full_at_.size();
    }

private:
    [[nodiscard]] const std::string& key_of(const std::string& name) const;

    Duration interval_{};  // zero: no limit
    Duration depth_{};
    std::unordered_map<std::string, MonoTime> full_at_;
};

}  // namespace muster::session
