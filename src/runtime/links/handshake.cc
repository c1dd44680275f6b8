#include "runtime/links/handshake.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "runtime/links/proof.h"

namespace muster::runtime {
namespace {

using Step = Handshake::Step;
using Outcome = Handshake::Outcome;

std::string frame_of(FrameKind kind, std::string_view content) {
    std::string frame;
    append_frame(frame, kind, content);
    return frame;
}

Step refuse(LinkRefusal refusal) {
    return {.outcome = Outcome::refused,
            .send = frame_of(FrameKind::refusal, encode_refusal(refusal)),
            .refusal = std::move(refusal)};
}

Step broken(std::string why) {
    return {.outcome = Outcome::broken, .refusal = {.sentence = std::move(why)}};
}

}  // namespace

Handshake::Handshake(Options options, const std::string& secret, const LinkAdmission& admission)
    : options_(std::move(options)),
      secret_(secret),
      admission_(admission),
      own_bytes_(encode_hello(options_.self)) {
    CHECK(options_.self.nonce.size() == kNonceBytes);
}

std::string Handshake::open() {
    return options_.side == LinkSide::dialler ? frame_of(FrameKind::hello, own_bytes_)
                                              : std::string();
}

Step Handshake::on_frame(FrameKind kind, std::string_view content) {
    if (kind == FrameKind::refusal) {
        return {.outcome = Outcome::refused_by_peer, .refusal = decode_refusal(content)};
    }
    switch (awaits_) {
        case Awaits::hello:
            return kind == FrameKind::hello ? on_hello(content) : broken("no hello came");
        case Awaits::proof:
            return kind == FrameKind::proof ? on_proof(content) : broken("no proof came");
        case Awaits::ready:
            return kind == FrameKind::ready ? Step{.outcome = Outcome::done}
                                            : broken("no agreement came");
    }
    return broken("unknown state");
}

Step Handshake::on_hello(std::string_view content) {
    auto hello = decode_hello(content);
    if (!hello) {
        return refuse({.reason = RefusalReason::bad_hello,
                       .sentence = "your hello cannot be read (" + to_string(hello.error()) +
                                   "): is this the peer port of a Muster node?"});
    }
    peer_ = std::move(*hello);
    peer_bytes_ = content;
    if (auto refusal = against_hello()) {
        return refuse(std::move(*refusal));
    }
    awaits_ = Awaits::proof;
    return {.send = options_.side == LinkSide::dialler
                        ? frame_of(FrameKind::proof, proof_of(LinkSide::dialler))
                        : frame_of(FrameKind::hello, own_bytes_)};
}

std::optional<LinkRefusal> Handshake::against_hello() const {
    const LinkHello& self = options_.self;
    if (peer_.version_min > self.version_max || peer_.version_max < self.version_min) {
        const bool too_new = peer_.version_min > self.version_max;
        return LinkRefusal{
            .reason = RefusalReason::version,
            .sentence = fmt::format(
                "node '{}' speaks link versions {} to {}, node '{}' {} to {}: upgrade the {}",
                peer_.node.raw(), peer_.version_min, peer_.version_max, self.node.raw(),
                self.version_min, self.version_max, too_new ? "latter" : "former")};
    }
    if (peer_.cluster != self.cluster) {
        return LinkRefusal{.reason = RefusalReason::cluster,
                           .sentence = fmt::format(
                               "node '{}' is of cluster '{}', node '{}' of cluster '{}': "
                               "correct the cluster name or the address that was dialled",
                               peer_.node.raw(), peer_.cluster, self.node.raw(), self.cluster)};
    }
    return std::nullopt;
}

Step Handshake::on_proof(std::string_view content) {
    const LinkSide theirs =
        options_.side == LinkSide::dialler ? LinkSide::accepter : LinkSide::dialler;
    if (!equal_in_constant_time(content, proof_of(theirs))) {
        return refuse({.reason = RefusalReason::secret,
                       .sentence = "the cluster secret is not the same: give all nodes of the "
                                   "cluster the same one"});
    }
    if (options_.expected && *options_.expected != peer_.node) {
        return refuse({.reason = RefusalReason::other_node,
                       .sentence = fmt::format("node '{}' answers where node '{}' was expected: "
                                               "correct the address of '{}'",
                                               peer_.node.raw(), options_.expected->raw(),
                                               options_.expected->raw())});
    }
    if (auto refusal = admission_.admit(peer_)) {
        return refuse(std::move(*refusal));
    }
    if (options_.side == LinkSide::dialler) {
        return {.outcome = Outcome::done, .send = frame_of(FrameKind::ready, {})};
    }
    awaits_ = Awaits::ready;
    return {.send = frame_of(FrameKind::proof, proof_of(LinkSide::accepter))};
}

std::string Handshake::proof_of(LinkSide side) const {
    const bool is_dialler = options_.side == LinkSide::dialler;
    const std::string& dialler_hello = is_dialler ? own_bytes_ : peer_bytes_;
    const std::string& accepter_hello = is_dialler ? peer_bytes_ : own_bytes_;
    std::string text(side == LinkSide::dialler ? "muster link 1 dialler"
                                               : "muster link 1 accepter");
    for (const std::string* hello : {&dialler_hello, &accepter_hello}) {
        append_big_endian(text, static_cast<std::uint32_t>(hello->size()));
        text += *hello;
    }
    return hmac_sha256(secret_, text);
}

std::uint32_t Handshake::version() const {
    return std::min(options_.self.version_max, peer_.version_max);
}

}  // namespace muster::runtime
