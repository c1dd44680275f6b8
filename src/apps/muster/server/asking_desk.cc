#include "apps/muster/server/asking_desk.h"

#include <algorithm>
#include <utility>

namespace muster::cli {
namespace {

constexpr env::TimerKey kGoOn(0);

}  // namespace

AskingDesk::AskingDesk(msg::RoleAddress self, Incarnation life, const env::Clock& clock,
                       env::Timers& timers)
    : self_(std::move(self)), life_(life), clock_(clock), timers_(timers) {}

void AskingDesk::on_timer(env::TimerKey /*key*/) {
    for (const auto& answer : std::exchange(refused_, {})) {
        answer();
    }
    turn();
    go_on();
}

void AskingDesk::go_on() {
    const MonoTime now = clock_.mono();
    const MonoTime next = refused_.empty() ? due(now) : now;
    if (next != MonoTime::max()) {
        timers_.arm(kGoOn, next - now);
    }
}

void AskingDesk::refuse(std::function<void()> answer) {
    refused_.push_back(std::move(answer));
    go_on();
}

std::optional<Error> AskingDesk::too_many(std::size_t running, std::size_t most) {
    if (running < most) {
        return std::nullopt;
    }
    return Error{Errc::busy, std::to_string(most) +
                                 " such questions run here already; each ends within its time"};
}

}  // namespace muster::cli
