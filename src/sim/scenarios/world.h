#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/checkers/bounds_checker.h"
#include "sim/checkers/client_order_checker.h"
#include "sim/checkers/converges_checker.h"
#include "sim/checkers/copies_checker.h"
#include "sim/checkers/falsely_gone_checker.h"
#include "sim/checkers/folds_checker.h"
#include "sim/checkers/gone_checker.h"
#include "sim/checkers/history_checker.h"
#include "sim/checkers/resurrection_checker.h"
#include "sim/checkers/truth.h"
#include "sim/checkers/versions_checker.h"
#include "sim/scenarios/excuses.h"
#include "sim/workloads/sim_client.h"
#include "sim/world/cuts.h"
#include "sim/world/links.h"
#include "sim/world/network.h"
#include "sim/world/pipes.h"
#include "sim/world/registry.h"
#include "sim/world/scheduler.h"
#include "sim/world/trace.h"

namespace muster::sim {

enum class ClientKind : std::uint8_t { java, native, lease };

struct WorldOptions {
    std::uint64_t seed = 1;
    RegistryOptions registry;
    bool print_trace = false;
};

// A registry, its clients, what is between them, and the checkers. All that happens in it follows
// from the options and the calls.
class World final : private session::QueryPort {
public:
    // How often checkers look.
    static constexpr Duration kStep = std::chrono::milliseconds(500);
    // Within this after the last fault everything has converged: the return of a restarted
    // session's clients (14 s), the silence of a lost machine (15 s), resends and repair.
    static constexpr Duration kConvergence = std::chrono::seconds(47);
    // So long sessions may go on sharing their clients after that.
    static constexpr Duration kTravels = std::chrono::seconds(60);

    explicit World(WorldOptions options);

    // Adds a client, started.
    SimClient& add_client(ClientKind kind, const std::string& zone);
    // Time passes; ends early at a violation.
    void run(Duration how_long);
    // Judges what must hold now that everything had time to converge; waits first for clients that
    // were sent to other sessions and are on their way.
    void check_at_rest();

    // An operator sets a value, again and again until the metas took it.
    void put_config(const std::string& key, const std::string& value);

    // Ends all faults: what is dead is started, cuts heal, nothing is lost any more.
    void heal();

    [[nodiscard]] Prng& prng() {
        return prng_;
    }
    [[nodiscard]] const std::vector<std::unique_ptr<SimClient>>& clients() const {
        return clients_;
    }
    [[nodiscard]] std::uint64_t hash() const {
        return trace.hash();
    }
    void note(std::string_view what) {
        trace.note(scheduler.now(), "world", what);
    }

    Scheduler scheduler;
    Trace trace;

private:
    Prng prng_;

public:
    Cuts cuts;
    Network network;
    Links links;
    Pipes pipes;
    Registry registry;
    Violations violations;
    Truth truth;
    ConvergesChecker converges;
    VersionsChecker versions;
    FalselyGoneChecker falsely_gone;
    GoneChecker gone;
    ResurrectionChecker resurrection;
    ClientOrderChecker client_order;
    FoldsChecker folds;
    BoundsChecker bounds;
    HistoryChecker history;

private:
    Process operator_;

public:
    CopiesChecker copies;

private:
    void on_services(std::uint64_t, const msg::ListServicesReply&) override {}
    void on_config_put(std::uint64_t token, const Result<Version>& result) override;
    void ask_config_put();
    void ask_copies();
    [[nodiscard]] session::SessionServer* some_session();
    void step();
    [[nodiscard]] std::vector<std::string> clients_away() const;
    [[nodiscard]] bool all_arrived() const;

    std::vector<Checker*> checkers_;
    std::vector<std::unique_ptr<SimClient>> clients_;
    Excuses excuses_;
    std::map<std::string, std::string> unput_;
    std::string putting_;
    std::string putting_value_;
    std::uint64_t put_ = 0;
    MonoTime next_step_;
};

}  // namespace muster::sim
