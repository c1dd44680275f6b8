#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace muster::sim {

// Everything that happened in a run, as lines: hashed, so that two runs of one seed can be
// compared, the newest kept, so that a failure can be told, and printed when asked. Bounds: at most
// kKept lines are kept.
class Trace {
public:
    static constexpr std::size_t kKept = 200'000;

    explicit Trace(bool print) : print_(print) {}

    // From now on nothing is told: for runs too large to be looked at line by line.
    void silence() {
        silent_ = true;
    }
    [[nodiscard]] bool silent() const {
        return silent_;
    }

    void note(MonoTime at, std::string_view who, std::string_view what);

    // Over all lines so far, kept or not.
    [[nodiscard]] std::uint64_t hash() const {
        return hash_;
    }
    [[nodiscard]] std::uint64_t lines() const {
        return count_;
    }

    // The newest `limit` kept lines that hold one of `words`, oldest first.
    [[nodiscard]] std::vector<std::string> about(const std::vector<std::string>& words,
                                                 std::size_t limit) const;

private:
    bool print_;
    bool silent_ = false;
    std::uint64_t hash_ = 0;
    std::uint64_t count_ = 0;
    std::deque<std::string> newest_;
};

}  // namespace muster::sim
