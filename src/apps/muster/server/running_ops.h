#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/time.h"

namespace muster::cli {

// Operations of one kind that run side by side, each with who is told of its end. `Op` has begin(),
// take() for each kind of answer, on_timer(), done() and due(), the latter two as
// propagation::History. Loop thread only. Bounds: the owner's; see size().
template <typename Op>
class RunningOps {
public:
    using Tell = std::function<void(const Op&)>;

    // Begins it; `tell` is called once it is done, never from within begin().
    void begin(std::uint64_t number, Op op, Tell tell) {
        running_.emplace(number, Running{std::move(op), std::move(tell)}).first->second.op.begin();
    }
    // An answer for the operation of that number. Returns whether it runs.
    template <typename... Answer>
    bool take(std::uint64_t number, const Answer&... answer) {
        const auto found = running_.find(number);
        if (found == running_.end()) {
            return false;
        }
        found->second.op.take(answer...);
        tell_done();
        return true;
    }
    void on_timer() {
        for (auto& [number, running] : running_) {
            running.op.on_timer();
        }
        tell_done();
    }
    // When on_timer() is to be called, not before `now`; max: it need not.
    [[nodiscard]] MonoTime due(MonoTime now) const {
        MonoTime first = MonoTime::max();
        for (const auto& [number, running] : running_) {
            first = std::min(first, running.op.done() ? now : running.op.due());
        }
        return std::max(first, now);
    }
    [[nodiscard]] std::size_t size() const {
        return running_.size();
    }

private:
    struct Running {
        Op op;
        Tell tell;
    };
    // Who is told may begin another one.
    void tell_done() {
        std::vector<Running> over;
        for (auto at = running_.begin(); at != running_.end();) {
            if (at->second.op.done()) {
                over.push_back(std::move(at->second));
                at = running_.erase(at);
            } else {
                ++at;
            }
        }
        for (const Running& one : over) {
            one.tell(one.op);
        }
    }

    std::map<std::uint64_t, Running> running_;  // by number
};

}  // namespace muster::cli
