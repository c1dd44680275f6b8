#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "sim/checkers/truth.h"
#include "sim/world/pipes.h"
#include "sim/world/process.h"

namespace muster::sim {

// What every client of the world is given.
struct ClientWorld {
    Scheduler& scheduler;
    Trace& trace;
    Pipes& pipes;
    Truth& truth;
};

// One client process with one life: publishes, subscribes and watches as it is told, writes what it
// does and sees into the book, and comes back whenever it loses its server. Once dead it stays so.
class SimClient {
public:
    SimClient(ClientWorld world, Prng prng, std::string name, std::string zone);
    SimClient(const SimClient&) = delete;
    SimClient& operator=(const SimClient&) = delete;
    virtual ~SimClient() = default;

    virtual void start() = 0;

    // ---- wishes; each is made true as soon as a server can be reached
    RegistId publish(const Service& service);
    void update(const RegistId& id);
    void withdraw(RegistId id);
    virtual void subscribe(const Service& service, Scope scope) = 0;
    virtual void unsubscribe(Listener listener) = 0;
    virtual void watch(const std::string& key) = 0;
    virtual void unwatch(const std::string& key) = 0;

    // The process is killed; with `machine_lost` nobody is told, nor is the session it came from
    // lately, which may still hold what it published.
    void kill(bool machine_lost);
    void pause(Duration how_long) {
        process_.pause(how_long);
    }

    // ---- what it is
    [[nodiscard]] bool alive() const {
        return process_.alive();
    }
    [[nodiscard]] const std::string& name() const {
        return process_.name();
    }
    [[nodiscard]] HostClock& clock() {
        return process_.clock();
    }
    [[nodiscard]] Process& process() {
        return process_;
    }
    [[nodiscard]] const std::vector<RegistId>& published() const {
        return published_;
    }
    [[nodiscard]] const std::vector<Listener>& listeners() const {
        return listeners_;
    }
    [[nodiscard]] const std::vector<std::string>& watched() const {
        return watched_;
    }
    [[nodiscard]] bool uses(PipeId pipe) const {
        return reached_.contains(pipe);
    }
    [[nodiscard]] PipeId pipe() const {
        return pipe_;
    }
    // Every connection it ever made, with the server it led to.
    [[nodiscard]] const std::map<PipeId, ServerLife>& reached() const {
        return reached_;
    }
    // Its publications are not tied to a connection: nobody notices its end but by silence.
    [[nodiscard]] virtual bool falls_silent() const {
        return false;
    }
    // All its publications are acknowledged on its present connection.
    [[nodiscard]] virtual bool settled() const = 0;
    // In which life of which session that last was so; before, where it began.
    [[nodiscard]] const ServerLife& settled_in() const {
        return settled_in_;
    }
    void note_settled(ServerLife session) {
        settled_in_ = std::move(session);
    }

protected:
    virtual RegistId do_publish(const Service& service, const std::string& content) = 0;
    virtual void do_update(const RegistId& id, const std::string& content) = 0;
    virtual void do_withdraw(const RegistId& id) = 0;
    [[nodiscard]] PipeId connect(ClientEnd& end, const std::string& server,
                                 const std::string& door);
    // Where to try next: each server known once in a random order, then again. Known are those it
    // was started with, or, most of the time, those that its last session named.
    [[nodiscard]] std::string next_server();
    // Servers of this round that were not tried yet.
    [[nodiscard]] bool more_to_try() const {
        return !to_try_.empty();
    }
    // Where one of its connections leads or led to.
    [[nodiscard]] const ServerLife& server(PipeId pipe) const {
        return reached_.at(pipe);
    }
    [[nodiscard]] static Shown shown_of(const ServiceView& view, const ServerLife& by) {
        return Shown::of(view, by.server, by.life);
    }
    // It is connected, and asks for the page of servers.
    void read_server_list();
    void note(std::string_view what) {
        process_.note(what);
    }

    ClientWorld world_;
    Prng prng_;
    Process process_;
    std::string zone_;
    PipeId pipe_;
    MonoTime connected_;                    // when it last began to connect
    std::map<PipeId, ServerLife> reached_;  // the server of each connection, newest last
    std::vector<RegistId> published_;
    std::vector<Listener> listeners_;
    std::vector<std::string> watched_;
    std::uint64_t contents_ = 0;
    std::vector<std::string> named_;
    std::vector<std::string> to_try_;
    ServerLife settled_in_;
};

}  // namespace muster::sim
