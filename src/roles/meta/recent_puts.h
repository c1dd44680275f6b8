#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "model/ids.h"
#include "msg/outbox.h"

namespace muster::meta {

// The latest puts of each session, so that a message that arrives twice, perhaps after another put
// of the same key, is carried out once. A put is known by its request number and its content, so
// that a session that starts to count anew is not answered for an earlier one. In memory only;
// entries live for a bounded time.
class RecentPuts {
public:
    struct Put {
        std::uint64_t request = 0;
        std::uint64_t content = 0;
        MonoTime since;
        std::optional<Result<Version>> result;  // nothing: under way
    };

    // Null: not among the recent ones.
    [[nodiscard]] const Put* find(const msg::RoleAddress& from, std::uint64_t request,
                                  std::uint64_t content, MonoTime now);

    // Remembers that it is under way; the oldest of the session makes room.
    void begin(const msg::RoleAddress& from, std::uint64_t request, std::uint64_t content,
               MonoTime now);

    // Remembers its result; a failed one is forgotten, so that it may be tried again.
    void finish(const msg::RoleAddress& from, std::uint64_t request, std::uint64_t content,
                const Result<Version>& result);

private:
    static constexpr std::size_t kPutsPerSession = 64;
    static constexpr std::size_t kSessions = 1024;
    static constexpr Duration kKept = std::chrono::seconds(10);

    std::map<msg::RoleAddress, std::deque<Put>> puts_;
};

}  // namespace muster::meta
