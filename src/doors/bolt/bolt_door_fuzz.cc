#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "doors/bolt/bolt_door.h"
#include "doors/bolt/bolt_port.h"
#include "doors/bolt/fakes_for_test.h"

namespace doors = muster::doors;
namespace env = muster::env;

// Property: whatever a client sends, what it is sent are whole frames, each an answer, and its
// connection ends with both the door and the session knowing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr env::ConnId kConn{1};
    doors::fakes::FakeNet net;
    doors::fakes::FakeClock clock;
    doors::fakes::FakeTimers timers;
    doors::fakes::FakeSession session;
    doors::BoltDoor door({}, session, muster::Log());
    doors::BoltPort port({.frame_limits = {.frame_bytes_max = 1U << 16U}}, net, clock, timers,
                         muster::Log());
    port.serve(muster::bolt::kCodecHessian, door);
    CHECK(port.listen({"127.0.0.1", 9600}).has_value());
    port.on_accepted(kConn, {"127.0.0.1", 4000});

    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::size_t half = size / 2;
    port.on_bytes(kConn, bytes.substr(0, half));
    port.on_bytes(kConn, bytes.substr(half));

    const std::string sent = net.take(kConn);
    for (std::size_t at = 0; at < sent.size();) {
        const auto decoded = muster::bolt::decode_frame(std::string_view(sent).substr(at), {});
        CHECK(decoded.outcome == muster::bolt::Decode::message);
        CHECK(decoded.frame.head.is_response());
        at += decoded.size;
    }
    port.stop();
    CHECK(net.closed.contains(kConn));
    CHECK(session.opened.size() == session.closed.size());
    return 0;
}
