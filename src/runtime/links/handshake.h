#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/links/frame.h"
#include "runtime/links/hello.h"

namespace muster::runtime {

// Who dialled. Both sides of one connection differ in it, so that neither's proof serves the other.
enum class LinkSide : std::uint8_t { dialler, accepter };

// What the owner of the links has against a node that proved the secret; nothing: it is welcome.
class LinkAdmission {
public:
    virtual ~LinkAdmission() = default;
    [[nodiscard]] virtual std::optional<LinkRefusal> admit(const LinkHello& peer) const = 0;
};

// The beginning of one connection, without input or output: frames in, frames out.
//
//   dialler    hello ->            <- hello    proof ->            <- proof    ready ->   done
//   accepter            <- hello   hello ->             <- proof   proof ->    <- ready   done
//
// A proof is HMAC-SHA256 with the cluster's secret over the side and both hellos, which hold a
// fresh nonce each. The accepter proves itself only to who has proved itself. Who is not content
// sends a refusal instead; of a wrong secret it says no more than that.
//
// Owned by its connection. Refers to `admission` and `secret`, which outlive it.
class Handshake {
public:
    struct Options {
        LinkSide side = LinkSide::dialler;
        LinkHello self;                  // with the nonce of this connection
        std::optional<NodeId> expected;  // dialler: who should answer
    };
    enum class Outcome : std::uint8_t {
        going_on,
        done,
        refused,          // by us: send what is to be sent, then close
        refused_by_peer,  // close
        broken,           // not a handshake: close
    };
    struct Step {
        Outcome outcome = Outcome::going_on;
        std::string send = {};     // frames
        LinkRefusal refusal = {};  // when refused or refused_by_peer; its sentence when broken
    };

    Handshake(Options options, const std::string& secret, const LinkAdmission& admission);

    // What to send as soon as the connection is there: the dialler's hello, nothing otherwise.
    [[nodiscard]] std::string open();

    // Requires: the outcome before was going_on.
    [[nodiscard]] Step on_frame(FrameKind kind, std::string_view content);

    // Requires: a hello came (any outcome but `broken` guarantees it once `done`).
    [[nodiscard]] const LinkHello& peer() const {
        return peer_;
    }
    // The protocol version of the link. Requires: done.
    [[nodiscard]] std::uint32_t version() const;

private:
    enum class Awaits : std::uint8_t { hello, proof, ready };

    [[nodiscard]] Step on_hello(std::string_view content);
    [[nodiscard]] Step on_proof(std::string_view content);
    [[nodiscard]] std::optional<LinkRefusal> against_hello() const;
    [[nodiscard]] std::string proof_of(LinkSide side) const;

    Options options_;
    const std::string& secret_;
    const LinkAdmission& admission_;
    Awaits awaits_ = Awaits::hello;
    LinkHello peer_;
    std::string own_bytes_;
    std::string peer_bytes_;
};

}  // namespace muster::runtime
