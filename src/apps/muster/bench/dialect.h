#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "msg/client.h"
#include "wire/bolt/frame.h"

namespace muster::cli::bench {

class RunNames;

// How the clients of a run speak: its messages as frames, and frames as messages. One per run.
class Dialect {
public:
    // What a frame says, if anything to the run.
    struct Heard {
        std::optional<msg::Push> push;
        struct Answer {
            std::uint32_t request = 0;
            // An Error: the request failed as a whole.
            Result<msg::RequestReply> reply;
        };
        std::optional<Answer> answer;
        std::string at_once;  // to be sent back
    };

    virtual ~Dialect() = default;

    // The bytes of `message`; empty when this dialect says it otherwise.
    [[nodiscard]] virtual std::string say(const msg::ClientMessage& message) = 0;
    // The same of a client that takes no packed pushes, where some do.
    [[nodiscard]] virtual std::string say_unpacked(const msg::ClientMessage& message) {
        return say(message);
    }
    [[nodiscard]] virtual std::string heartbeat() const = 0;
    // Errors: bad_content.
    [[nodiscard]] virtual Result<Heard> hear(const bolt::Frame& frame) = 0;
};

enum class Speech : std::uint8_t { native, java };

// Muster's own: a message is a frame.
[[nodiscard]] std::unique_ptr<Dialect> native_dialect();

// That of SOFARegistry's Java clients, which every SOFARegistry understands: a frame for each item
// of a request, whole lists, entries known by their boxes. `names` outlives it.
[[nodiscard]] std::unique_ptr<Dialect> java_dialect(const RunNames& names);

[[nodiscard]] inline std::unique_ptr<Dialect> dialect_of(Speech speech, const RunNames& names) {
    return speech == Speech::java ? java_dialect(names) : native_dialect();
}

}  // namespace muster::cli::bench
