import MembershipCore
import Testing
