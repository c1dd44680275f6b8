#pragma once

#include <functional>
#include <utility>

#include "sim/checkers/truth.h"

namespace muster::sim {

// I4: once faults have stopped (calm()), what ended is in nobody's view after the bound of its
// kind; what ended before that, after the bound for convergence. While the brake holds something,
// its patience is added: then it is gone as well.
class GoneChecker final : public Checker {
public:
    static constexpr Duration kAtOnce = std::chrono::seconds(1);
    static constexpr Duration kSilent = std::chrono::seconds(18);  // idle limit, its tick, delivery

    using Checker::Checker;

    struct Brake {
        std::function<bool()> holds;
        Duration patience;
    };
    void allow(Brake brake) {
        brake_ = std::move(brake);
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

    std::optional<MonoTime> calm_since_;
    Brake brake_{[] { return false; }, {}};
};

}  // namespace muster::sim
