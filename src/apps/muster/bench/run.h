#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/muster/bench/audience.h"
#include "apps/muster/bench/crowd.h"
#include "apps/muster/bench/registrants.h"
#include "apps/muster/bench/report.h"
#include "base/result.h"

namespace muster::cli::bench {

// What a run asks of the program around it.
struct Surroundings {
    std::function<bool()> stop;                                    // the user wants it to end
    std::function<void(const std::string&)> progress;              // what goes on, very often
    std::function<std::optional<ServerFigures>()> server_figures;  // as they are now
};

// What is waited for: `so_far` has to reach `total`.
struct Phase {
    std::string what;  // "connecting"
    std::function<std::uint64_t()> so_far;
    std::uint64_t total = 0;
};

// One run of one work: its connections, what they register and are shown, and its report. A work
// connects, registers, subscribes and waits through it, and puts its figures into report(). One
// thread.
class Run final : private Ears {
public:
    Run(std::vector<Address> servers, Speech speech, std::uint32_t random, Surroundings around,
        Report& report);

    [[nodiscard]] const RunNames& names() const {
        return names_;
    }
    [[nodiscard]] Crowd& crowd() {
        return crowd_;
    }
    [[nodiscard]] Audience& audience() {
        return audience_;
    }
    [[nodiscard]] Registrants& registrants() {
        return registrants_;
    }
    [[nodiscard]] Report& report() {
        return report_;
    }

    // Opens so many more connections; the number of the first.
    [[nodiscard]] Result<std::size_t> connect(std::size_t count);

    struct Wish {
        std::uint32_t service = 0;
        std::uint32_t entries = 0;
    };
    // The connection subscribes to these, maybe again; does not wait.
    void subscribe(std::size_t conn, std::span<const Wish> wishes);
    void unsubscribe(std::size_t conn, std::uint32_t service);

    // Returns when it is so. Errors: timeout when it makes no step for half a minute; closed when
    // the user wants it to end (stopped() is true then); that with which the server refused a
    // subscription; those of Crowd::run().
    [[nodiscard]] Result<void> await(const Phase& phase);
    // The same, but waits for so long, and being late is an answer: false.
    [[nodiscard]] Result<bool> try_await(const Phase& phase, Duration patience);
    // Lets time pass until then.
    [[nodiscard]] Result<void> pass_until(const Phase& phase, Duration then);

    // Called for each push after the audience took it: connection, number of the service.
    void on_list(std::function<void(std::size_t, std::uint32_t, Duration)> call) {
        on_list_ = std::move(call);
    }

    // What is measured lies between these: bytes, CPU time, pushes.
    void begin();
    void end();

    // What the servers take and hold now; nothing when it is not known.
    [[nodiscard]] std::optional<ServerFigures> server_figures() const {
        return around_.server_figures();
    }

    // Takes back what is still registered, for some seconds at most, whatever went wrong or was
    // stopped; what could not be is in the report.
    void clean();

    [[nodiscard]] bool stopped() const {
        return stopped_;
    }

private:
    void on_push(std::size_t conn, const msg::Push& push, Duration at) override;
    void on_reply(std::size_t conn, std::uint32_t request, const Result<msg::RequestReply>& reply,
                  Duration at) override;
    [[nodiscard]] Result<Crowd::Ended> run(const Phase& phase, Duration deadline);
    void tell_progress();

    // What is subtracted at the end.
    struct Mark {
        Duration at{};
        Duration cpu{};
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        std::uint64_t pushes = 0;
        std::uint64_t whole_pushes = 0;
        std::optional<ServerFigures> server;
    };
    [[nodiscard]] Mark mark() const;

    RunNames names_;
    Surroundings around_;
    Report& report_;
    std::unique_ptr<Dialect> dialect_;
    Crowd crowd_;
    Audience audience_{names_};
    Registrants registrants_{names_, crowd_};
    std::function<void(std::size_t, std::uint32_t, Duration)> on_list_;
    const Phase* phase_ = nullptr;
    std::optional<Mark> begun_;
    std::optional<Error> refused_wish_;
    bool stopped_ = false;
};

}  // namespace muster::cli::bench
