#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/clock.h"
#include "env/timers.h"
#include "msg/outbox.h"

namespace muster::cli {

// What the desks have in common that run operations of some seconds for operators (RunningOps),
// under the name of one role of this process. Nobody is answered from within his question. Owned by
// the process; loop thread only.
class AskingDesk : public env::TimerTarget {
public:
    void on_timer(env::TimerKey key) final;

protected:
    // `timers`: bound to this by the owner.
    AskingDesk(msg::RoleAddress self, Incarnation life, const env::Clock& clock,
               env::Timers& timers);

    // The operations' own timers.
    virtual void turn() = 0;
    // When the first of them wants its turn, not before `now`; max: none does.
    [[nodiscard]] virtual MonoTime due(MonoTime now) const = 0;

    // To be called after whatever may have changed due().
    void go_on();
    // `answer` is called at the next turn.
    void refuse(std::function<void()> answer);
    // Why no further operation may begin where `running` run and at most `most` may; none: it may.
    [[nodiscard]] static std::optional<Error> too_many(std::size_t running, std::size_t most);

    // As verify:: or propagation:: want it; no number is given twice.
    template <typename Asker>
    [[nodiscard]] Asker next_asker() {
        return {.self = self_, .life = life_, .number = ++last_number_};
    }

private:
    msg::RoleAddress self_;
    Incarnation life_;
    const env::Clock& clock_;
    env::Timers& timers_;
    std::vector<std::function<void()>> refused_;
    std::uint64_t last_number_ = 0;
};

}  // namespace muster::cli
