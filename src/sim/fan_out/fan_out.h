#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "doors/bolt/bolt_door.h"
#include "doors/native/native_door.h"
#include "sim/world/registry.h"
#include "wire/bolt/frame_conversation.h"

namespace muster::sim {

// What connections are sent, counted and not kept, so that counting costs no memory for each.
class CountingPort final : public bolt::FramePort {
public:
    struct Sent {
        std::uint64_t pushes = 0;
        std::uint64_t own_bytes = 0;    // heads and tails
        std::uint64_t total_bytes = 0;  // with the body each time
    };

    void send(env::ConnId conn, std::string frames) override;
    void send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) override;
    [[nodiscard]] bool congested(env::ConnId /*conn*/) const override {
        return false;
    }
    void stop_reading(env::ConnId /*conn*/) override {}
    void go_on_reading(env::ConnId /*conn*/) override {}
    void close(env::ConnId /*conn*/, const Error& /*why*/) override {}

    // Begins to count anew.
    void forget();

    [[nodiscard]] const Sent& sent() const {
        return sent_;
    }
    // The first push, a frame.
    [[nodiscard]] const std::string& first() const {
        return first_;
    }
    // Different ones.
    [[nodiscard]] const std::vector<SharedBytes>& bodies() const {
        return bodies_;
    }

private:
    Sent sent_;
    std::string first_;
    std::vector<SharedBytes> bodies_;
};

struct FanOutSize {
    std::size_t native = 0;  // subscribers of each kind, a connection each
    std::size_t java = 0;
    std::size_t publications = 1;
};

// One registry in one process with the real roles and the real doors, and subscribers of one list
// that were told all of it: what one change costs them all.
class FanOut {
public:
    explicit FanOut(const FanOutSize& size);

    // One publication says something new, and every subscriber is told. Returns whether all were.
    [[nodiscard]] bool change();
    // All acknowledge what they were told.
    void acknowledge();

    // Of the last change.
    [[nodiscard]] const CountingPort& native_port() const {
        return native_port_;
    }
    [[nodiscard]] const CountingPort& java_port() const {
        return java_port_;
    }
    // Push bodies encoded since the beginning.
    [[nodiscard]] std::uint64_t native_encoded() const {
        return native_->push_bodies().made();
    }
    [[nodiscard]] std::uint64_t java_encoded() const;

private:
    void open_all();
    // As the client of a native connection.
    void say(env::ConnId conn, const msg::ClientMessage& message);
    void publish(std::size_t first, std::size_t count);
    [[nodiscard]] bool run_until_told();
    [[nodiscard]] session::SessionServer& session() {
        return *registry_.session();
    }

    FanOutSize size_;
    Scheduler scheduler_;
    Trace trace_{false};
    Cuts cuts_;
    Network network_;
    Links links_;
    Pipes pipes_;
    Registry registry_;
    ServicePtr service_;
    std::vector<std::int64_t> states_;
    CountingPort native_port_;
    CountingPort java_port_;
    std::unique_ptr<doors::NativeDoor> native_;
    std::unique_ptr<doors::BoltDoor> java_;
    std::uint64_t requests_ = 0;
};

}  // namespace muster::sim
