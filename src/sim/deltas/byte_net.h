#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/prng.h"
#include "env/net.h"
#include "sim/world/scheduler.h"

namespace muster::sim {

// How a connection is broken: what is on its way is lost, each end hears of it after so long.
struct BrokenAfter {
    Duration here{};
    Duration peer{};
};

// TCP between clients and real ports, in virtual time: bytes in order, each way with a delay of its
// own, sometimes cut in two, until an end closes or the network breaks the connection. All
// processes share it, so ids are unique among them. Bounds: a reader's bytes on their way past
// kCongestedAbove make the connection congested for the writer; the run bounds what is written.
class ByteNet final : public env::Net {
public:
    static constexpr std::size_t kCongestedAbove = std::size_t{64} << 10U;

    ByteNet(Scheduler& scheduler, Prng prng) : scheduler_(scheduler), prng_(prng) {}

    // ---- env::Net
    Result<env::ListenerId> listen(const env::SocketAddress& at,
                                   env::ConnectionHandler& handler) override;
    [[nodiscard]] env::SocketAddress local_address(env::ListenerId listener) const override;
    void stop_listening(env::ListenerId listener) override;
    env::ConnId dial(const env::SocketAddress& to, env::ConnectionHandler& handler) override;
    void send(env::ConnId conn, std::string bytes) override;
    void send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) override;
    [[nodiscard]] bool congested(env::ConnId conn) const override;
    [[nodiscard]] std::size_t queued_bytes(env::ConnId conn) const override;
    void close(env::ConnId conn) override;

    // ---- what happens to connections; stale ids have no effect

    void reset(env::ConnId conn, const BrokenAfter& after);
    // What is sent to this end from now on arrives no earlier than after `how_long`.
    void stall(env::ConnId conn, Duration how_long);
    // The other end; zero when there is none.
    [[nodiscard]] env::ConnId peer_of(env::ConnId conn) const;

    [[nodiscard]] std::uint64_t bytes_lost() const {
        return lost_;
    }

private:
    struct End {
        env::ConnectionHandler* handler = nullptr;
        env::ConnId peer;
        Duration delay{};     // of what is sent to it
        MonoTime reads_from;  // nothing arrives earlier
        MonoTime last;        // arrival
        std::size_t coming = 0;
        bool congested = false;  // as a writer
        bool broken = false;     // the network broke it; this end was not told yet
    };
    struct Listener {
        env::SocketAddress at;
        env::ConnectionHandler* handler = nullptr;
    };

    [[nodiscard]] MonoTime arrival(End& reader);
    void arrive(env::ConnId conn, const std::string& bytes);
    void tell_closed(env::ConnId conn, MonoTime when);

    Scheduler& scheduler_;
    Prng prng_;
    std::map<env::ListenerId, Listener> listeners_;
    std::map<env::ConnId, End> ends_;
    std::uint64_t last_id_ = 0;
    std::uint32_t last_port_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace muster::sim
