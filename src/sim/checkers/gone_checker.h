#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/checkers/truth.h"

namespace muster::sim {

// I4: once faults have stopped (calm()), what ended is in nobody's view after the bound of its
// kind; what ended before that, after the bound for convergence. While the brake holds something,
// its patience is added: then it is gone as well. So is a journey to what fell silent, while
// sessions hold what clients that they sent away published: whose machine is lost may be sent away
// before it is found idle. Clients on their way from one session to another neither say nor hear
// anything until they have arrived.
class GoneChecker final : public Checker {
public:
    static constexpr Duration kAtOnce = std::chrono::seconds(1);
    static constexpr Duration kSilent = std::chrono::seconds(18);  // idle limit, its tick, delivery

    using Checker::Checker;

    struct Excuses {
        std::function<bool()> brake_holds;
        Duration patience;
        std::function<bool()> departed_held;
        Duration journey;
        std::function<std::vector<std::string>()> clients_away;
    };
    void allow(Excuses excuses) {
        excuses_ = std::move(excuses);
    }

    // Faults have stopped; what ended from now on is judged.
    void calm() {
        calm_since_ = truth_.now();
    }
    void storm() {
        calm_since_.reset();
    }
    void step() override;
    void at_rest() override;

private:
    [[nodiscard]] bool overdue(const TruePublication& publication) const;
    [[nodiscard]] bool was_away(const std::string& client) const;

    std::optional<MonoTime> calm_since_;
    Excuses excuses_{[] { return false; },
                     {},
                     [] { return false; },
                     {},
                     [] { return std::vector<std::string>(); }};
    std::map<std::string, MonoTime> away_;  // clients, when they were seen so last
};

}  // namespace muster::sim
